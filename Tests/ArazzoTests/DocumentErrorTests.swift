// The errors of whole documents: YAML, versions, sources. Each row is one change and the exact errors that it causes.

import Testing

@Suite struct DocumentErrorTests {
  static let edits: [Edit] = [
    Edit(
      "workflows:\n",
      "workflows: [\n",
      "register_reader.arazzo.yaml:10: $: this is not valid YAML or JSON: did not find "
        + "expected node content"),
    Edit(
      "title: Register a reader",
      "title: Register a reader\n  title: Again",
      "register_reader.arazzo.yaml:3: $: the same field occurs twice in one object: 'title'"),
    Edit(
      "title: Register a reader",
      "title: !secret Register a reader",
      "register_reader.arazzo.yaml:3: $.info.title: the tag !secret is not supported; "
        + "remove it",
      "register_reader.arazzo.yaml:3: $.info.title: 'title' must be a text, but this is empty"),
    Edit(
      "title: Register a reader",
      "title: 2026",
      "register_reader.arazzo.yaml:3: $.info.title: 'title' must be a text, but this "
        + "is a number; put quotes around it"),
    Edit(
      "title: Register a reader",
      "title: Register a reader\n  \"title\": Again",
      "register_reader.arazzo.yaml:4: $.info: the same field occurs twice in one "
        + "object: 'title'"),
    Edit(
      "components:\n",
      "---\ncomponents:\n",
      "register_reader.arazzo.yaml:73: $: a file holds one document; remove what follows ---"),
    Edit(
      "arazzo: 1.0.1",
      "arazzo: 2.0.0",
      "register_reader.arazzo.yaml:1: $.arazzo: only Arazzo 1.0 and 1.1 are supported"),
    Edit(
      "arazzo: 1.0.1",
      "arazzo: 1.0.1\n$self: https://library.example/x",
      "register_reader.arazzo.yaml:2: $.$self: '$self' belongs to Arazzo 1.1, but this "
        + "document is 1.0"),
    Edit(
      "arazzo: 1.0.1",
      "arazzo: 1.0.1\nsteps: []",
      "register_reader.arazzo.yaml:2: $.steps: an Arazzo document has no field "
        + "'steps'; its fields are arazzo, $self, info, sourceDescriptions, workflows, "
        + "components"),
    Edit(
      "  version: 1.0.0\n",
      "",
      "register_reader.arazzo.yaml:3: $.info: info needs the field 'version'"),
    Edit(
      "type: openapi\n",
      "type: asyncapi\n",
      "register_reader.arazzo.yaml:8: $.sourceDescriptions[0].type: AsyncAPI is not "
        + "supported; only openapi and arazzo are"),
    Edit(
      "type: openapi\n",
      "type: arazzo\n",
      "register_reader.arazzo.yaml:7: $.sourceDescriptions[0].url: "
        + "'openapi/library.yaml' is an OpenAPI document, not an Arazzo document"),
    Edit(
      "url: openapi/library.yaml",
      "url: openapi/books.yaml",
      "register_reader.arazzo.yaml:7: $.sourceDescriptions[0].url: there is no "
        + "document 'openapi/books.yaml' in the catalogue; did you mean "
        + "openapi/library.yaml?"),
    Edit(
      "url: openapi/library.yaml",
      "url: https://library.example/openapi.yaml",
      "register_reader.arazzo.yaml:7: $.sourceDescriptions[0].url: "
        + "'https://library.example/openapi.yaml' is on the network, from where nothing "
        + "is fetched; put the document into the catalogue as 'openapi.yaml'"),
    Edit(
      "url: openapi/library.yaml",
      "url: register_reader.arazzo.yaml",
      "register_reader.arazzo.yaml:7: $.sourceDescriptions[0].url: the documents refer "
        + "to each other in a circle"),
    Edit(
      "- name: library",
      "- name: the library",
      "register_reader.arazzo.yaml:6: $.sourceDescriptions[0].name: the name of a "
        + "source description is made of letters, digits, _ and -",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].operationPath: there is "
        + "no source description 'library'"),
  ]

  @Test(arguments: edits)
  func `a document that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}
