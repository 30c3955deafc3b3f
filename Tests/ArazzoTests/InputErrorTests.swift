// The errors of input schemas. Each row is one change and the exact errors that it causes.

import Testing

@Suite struct InputErrorTests {
  static let edits: [Edit] = [
    Edit(
      "    type: object\n",
      "    type: array\n",
      "register_reader.arazzo.yaml:21: $.workflows[0].inputs.type: the inputs must "
        + "have type: object"),
    Edit(
      "required: [email]",
      "required: [email, phone]",
      "register_reader.arazzo.yaml:22: $.workflows[0].inputs.required[1]: 'phone' is "
        + "required, but there is no such property"),
    Edit(
      "required: [email]",
      "oneOf: []",
      "register_reader.arazzo.yaml:22: $.workflows[0].inputs.oneOf: an input schema "
        + "does not support 'oneOf' here; supported are type, properties, "
        + "required, additionalProperties, title, description, examples, deprecated and $ref"),
    Edit(
      "required: [email]",
      "additionalProperties: true",
      "register_reader.arazzo.yaml:22: $.workflows[0].inputs.additionalProperties: "
        + "'additionalProperties' can only be false: inputs that are not listed are refused"),
    Edit(
      "format: email,",
      "format: e-mail,",
      "register_reader.arazzo.yaml:24: $.workflows[0].inputs.properties.email.format: "
        + "'format' of a string must be one of uuid, date-time, email, uri, writ-public-key"),
    Edit(
      "name: {type: string, minLength: 1, maxLength: 80}",
      "Name: {type: string}",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.Name: 'Name' "
        + "cannot be the name of an input: use at most 63 lower-case letters, digits and "
        + "_, starting with a letter",
      "register_reader.arazzo.yaml:50: "
        + "$.workflows[0].steps[1].requestBody.payload.name: $inputs.name: there is no "
        + "input 'name' in the inputs of this workflow; did you mean Name?",
      "register_reader.arazzo.yaml:53: "
        + "$.workflows[0].steps[1].requestBody.replacements[0].value: $inputs.name: "
        + "there is no input 'name' in the inputs of this workflow; did you mean Name?"),
    Edit(
      "name: {type: string, minLength: 1, maxLength: 80}",
      "name: {type: text}",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.type: "
        + "'type' must be one of string, integer, number, boolean, array, object, null"),
    Edit(
      "name: {type: string, minLength: 1, maxLength: 80}",
      "name: {type: [string, integer]}",
      #"register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.type: "#
        + #"'type' must be one type, or one type and "null"; leave it out to accept any JSON"#),
    Edit(
      "minLength: 1,",
      "minLength: 90,",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.minLength: 'minLength' is greater than "
        + "'maxLength': no value fits"),
    Edit(
      "minLength: 1,",
      "minLength: -1,",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.minLength: 'minLength' must be an integer "
        + "from 0 to 1000000"),
    Edit(
      "minLength: 1,",
      "minimum: 1,",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.minimum: "
        + "an input of type string does not support 'minimum' here; supported are type, "
        + "default, format, minLength, maxLength, pattern, enum, title, description, examples, "
        + "deprecated and $ref"),
    Edit(
      "minLength: 1,",
      "pattern: '(',",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.pattern: "
        + "'pattern' is not a regular expression that Writ and PostgreSQL read alike: "
        + "this ( is never closed (at character 1)"),
    Edit(
      "minLength: 1,",
      "pattern: '(?=a)b',",
      #"register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.pattern: "#
        + "'pattern' is not a regular expression that Writ and PostgreSQL read alike: "
        + "a group (?…) is not supported, but for (?:…): no look-around, no names (at character 2)"),
    Edit(
      "minLength: 1,",
      #"pattern: '\bname',"#,
      #"register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.pattern: "#
        + "'pattern' is not a regular expression that Writ and PostgreSQL read alike: "
        + #"this escape means something else in PostgreSQL, or nothing; there are \d, \s, \w, \D, "#
        + #"\S, \W, \n, \r, \t, \f, \v, \xXX, \uXXXX and signs (at character 1)"#),
    Edit(
      "minLength: 1,",
      "enum: [],",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.enum: "
        + "'enum' needs at least one element"),
    Edit(
      "minLength: 1,",
      "default: '',minLength: 1,",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.default: "
        + "the default must have at least 1 character"),
    Edit(
      "minLength: 1,",
      "default: 1,",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.default: "
        + "the default must be a text"),
    Edit(
      "type: string, minLength: 1, maxLength: 80",
      "type: integer, enum: ['1']",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.enum: an input of type "
        + "integer does not support 'enum' here; supported are type, default, format, minimum, "
        + "maximum, title, description, examples, deprecated and $ref"),
    Edit(
      "minLength: 1,",
      "const: Ada,",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.const: an "
        + "input of type string does not support 'const' here; supported are type, "
        + "default, format, minLength, maxLength, pattern, enum, title, description, examples, "
        + "deprecated and $ref"),
    Edit(
      "minLength: 1,",
      "x-writ: {record: always},",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.x-writ.record: 'record' must be one of "
        + "clear, digest, never"),
    Edit(
      "minLength: 1,",
      "x-writ: {normalize: upper},",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.x-writ.normalize: 'normalize' must be one "
        + "of email, lowercase"),
    Edit(
      "minLength: 1,",
      "x-writ: {secret: true},",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.x-writ.secret: x-writ of an input has no "
        + "field 'secret'; its fields are record, from, name, normalize, refuse"),
    Edit(
      "minLength: 1,",
      "x-writ: {name: n},",
      "register_reader.arazzo.yaml:25: "
        + "$.workflows[0].inputs.properties.name.x-writ.name: 'name' belongs to from: "
        + "environment or from: job"),
    Edit(
      "from: environment, name: branch",
      "from: environment",
      "register_reader.arazzo.yaml:26: $.workflows[0].inputs.properties.branch.x-writ: "
        + "an input from the environment needs the field 'name'"),
    Edit(
      "from: environment, name: branch",
      "from: vault, name: branch",
      "register_reader.arazzo.yaml:26: "
        + "$.workflows[0].inputs.properties.branch.x-writ.from: 'from' must be one of "
        + "environment, job"),
    Edit(
      "branch: {type: string, x-writ: {from: environment, name: branch}}",
      "queue: {type: string}",
      "register_reader.arazzo.yaml:26: $.workflows[0].inputs.properties.queue: 'queue' "
        + "is an option of every job type and cannot be an input"),
    Edit(
      "branch: {type: string, x-writ: {from: environment, name: branch}}",
      "branch: {$ref: '#/components/inputs/branch'}",
      "register_reader.arazzo.yaml:26: $.workflows[0].inputs.properties.branch.$ref: "
        + "'#/components/inputs/branch' leads nowhere in this document"),
    Edit(
      "branch: {type: string, x-writ: {from: environment, name: branch}}",
      "tags: {type: array, items: {type: string, minLength: 1}}",
      "register_reader.arazzo.yaml:26: "
        + "$.workflows[0].inputs.properties.tags.items.minLength: the elements of an array "
        + "cannot have 'minLength'; only type and format"),
    Edit(
      "branch: {type: string, x-writ: {from: environment, name: branch}}",
      "age: {type: integer, minimum: 1.5}",
      "register_reader.arazzo.yaml:26: $.workflows[0].inputs.properties.age.minimum: "
        + "'minimum' must be an integer"),
    Edit(
      "branch: {type: string, x-writ: {from: environment, name: branch}}",
      "age: {type: integer, x-writ: {normalize: lowercase}}",
      "register_reader.arazzo.yaml:26: "
        + "$.workflows[0].inputs.properties.age.x-writ.normalize: 'normalize' is for texts "
        + "and e-mail addresses only"),
    Edit(
      "from: environment, name: branch",
      "from: job, name: branch",
      "register_reader.arazzo.yaml:26: "
        + "$.workflows[0].inputs.properties.branch.x-writ.name: 'name' must be one of id, "
        + "environment, type, attempt"),
    Edit(
      "from: environment, name: branch",
      "from: job",
      "register_reader.arazzo.yaml:26: $.workflows[0].inputs.properties.branch.x-writ: "
        + "an input from the job needs the field 'name'"),
    Edit(
      "{type: string, x-writ: {from: environment, name: branch}}",
      "{type: string, default: x, x-writ: {from: environment, name: branch}}",
      "register_reader.arazzo.yaml:26: "
        + "$.workflows[0].inputs.properties.branch.default: an input from the environment "
        + "or the job has no default"),
  ]

  @Test(arguments: edits)
  func `an input that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}
