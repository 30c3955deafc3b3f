// The errors of x-writ.rows and of inputs that are refused. Each row is one change and its exact errors.

import Testing

@Suite struct RowsErrorTests {
  private static let rows = """
            x-writ:
              rows:
                list: $response.body#/readers
                key: /id
                fields: {id: /id, email: /email}

    """
  private static let place = "      - stepId: add\n"
  private static let step = "register_reader.arazzo.yaml"

  private func errors(_ old: String, _ new: String) -> [String] {
    let policy = Self.rows.replacing(old, with: new)
    let text = Library.arazzo.replacing(Self.place, with: policy + Self.place)
    return Library.errors(Library.files(arazzo: text))
      .map { $0.replacing(/^[^$]*[$][.]workflows.0.[.]/, with: "") }
  }

  @Test func `a step may keep rows, and their number is an output`() {
    #expect(errors("", "") == [])
    let text = Library.arazzo.replacing(Self.place, with: Self.rows + Self.place)
      .replacing("card: $steps.card.outputs.number", with: "count: $steps.find.outputs.rows")
    #expect(Library.errors(Library.files(arazzo: text)) == [])
  }

  @Test(arguments: [
    (
      "            list: $response.body#/readers\n", "",
      "steps[0].x-writ.rows: x-writ.rows needs the field 'list'"
    ),
    (
      "list: $response.body#/readers", "list: $inputs.email",
      "steps[0].x-writ.rows.list: the list is a part of the response: $response.body, or "
        + "$response.body#/<member>"
    ),
    (
      "key: /id", "key: id",
      "steps[0].x-writ.rows.key: this must be the JSON Pointer of a member of an element, such as /id"
    ),
    (
      "{id: /id, email: /email}", "{}",
      "steps[0].x-writ.rows.fields: 'fields' needs at least one member, such as id: /id"
    ),
    (
      "email: /email}", "email: [x]}",
      "steps[0].x-writ.rows.fields.email: a field is the JSON Pointer of a member, such as /id"
    ),
    (
      "key: /id", "key: /id\n            page: 3",
      "steps[0].x-writ.rows.page: x-writ.rows has no field 'page'; its fields are list, key, fields"
    ),
  ])
  func `a wrong one is refused`(old: String, new: String, error: String) {
    #expect(errors(old, new) == [error])
  }

  @Test func `a secret cannot become a field of a row`() {
    let text = Library.arazzo.replacing(
      "          inDoubt: review\n",
      with: "          inDoubt: review\n          rows: {list: $response.body, key: /number, "
        + "fields: {pin: /pin}}\n")
    let errors = Library.errors(Library.files(arazzo: text))
    #expect(errors.count == 1)
    #expect(
      errors.first?.hasSuffix(
        "the API marks this as secret, and rows can be read; leave it out") == true)
  }

  @Test(arguments: ["/pin", "/list/0/pin"])
  func `a secret cannot become the key of a row`(key: String) {
    let text = Library.arazzo.replacing(
      "          inDoubt: review\n",
      with: "          inDoubt: review\n          rows: {list: $response.body, key: \(key), "
        + "fields: {number: /number}}\n")
    let openAPI = Library.openAPI.replacing(
      "pin: {type: string, x-writ: {secret: true}}",
      with: "pin: {type: string, x-writ: {secret: true}}, list: {prefixItems: [{type: object, "
        + "properties: {pin: {x-writ: {secret: true}}}}]}")
    let errors = Library.errors(Library.files(arazzo: text, openAPI: openAPI))
    #expect(errors.count == 1, "\(errors)")
    #expect(
      errors.first?.hasSuffix(
        ".x-writ.rows.key: the API marks this as secret, and the key of a row is stored as it is; name "
          + "another member") == true, "\(errors)")
  }

  @Test func `the number of rows cannot be named twice`() {
    let text = Library.arazzo.replacing(
      Self.place, with: Self.rows + "        outputs: {rows: $statusCode}\n" + Self.place
    ).replacing("card: $steps.card.outputs.number", with: "rows: $steps.card.outputs.number")
    let errors = Library.errors(Library.files(arazzo: text))
    #expect(errors.count == 2)
    #expect(errors.contains { $0.contains("a job with x-writ.rows already has 'rows'") })
    #expect(
      errors.contains { $0.contains("a step with x-writ.rows already has the output 'rows'") })
  }

  @Test(arguments: [
    ("refuse: Not here.", [String]()),
    (
      "refuse: Not here., record: clear",
      ["an input that is refused never has a value; remove 'record'"]
    ),
    ("refuse: ''", ["'refuse' must not be empty"]),
  ])
  func `an input may be refused, and then has no other policy`(policy: String, reasons: [String]) {
    let text = Library.arazzo.replacing(
      "        name: {type: string, minLength: 1, maxLength: 80}\n",
      with: "        name: {type: string, minLength: 1, maxLength: 80}\n"
        + "        phone: {type: string, x-writ: {\(policy)}}\n")
    let errors = Library.errors(Library.files(arazzo: text))
    #expect(errors.count == reasons.count, "\(errors)")
    for reason in reasons { #expect(errors.contains { $0.hasSuffix(reason) }, "\(errors)") }
  }

  @Test func `an input that is refused can be neither required nor filled in`() {
    let text = Library.arazzo.replacing(
      "        name: {type: string, minLength: 1, maxLength: 80}\n",
      with: "        name: {type: string, minLength: 1, maxLength: 80}\n"
        + "        phone: {type: string, default: x, x-writ: {refuse: Not here.}}\n"
    ).replacing("required: [email]", with: "required: [email, phone]")
    let errors = Library.errors(Library.files(arazzo: text))
    #expect(errors.contains { $0.hasSuffix("'phone' is refused, so it cannot be required") })
    #expect(errors.contains { $0.hasSuffix("an input that is refused has no default") })
  }
}
