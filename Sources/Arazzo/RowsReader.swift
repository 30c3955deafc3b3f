// `x-writ.rows` of a step: the part of its answer that becomes rows of the job.

internal import JSON

struct RowsReader {
  let errors: ErrorCollector
  let uses: ExpressionUses

  func read(
    _ node: DocumentNode, of step: ObjectReader, stepId: String?, target: StepTarget?
  ) -> RowsPolicy? {
    guard
      let object = ObjectReader(
        node, "x-writ.rows", fields: ["list", "key", "fields"], isExtensible: false,
        errors: errors)
    else { return nil }
    if case .workflow? = target {
      object.report("'rows' belongs to the steps of the workflow that is called")
    }
    if let own = step["outputs"]?[RowsPolicy.countName] {
      errors.report(
        "a step with x-writ.rows already has the output 'rows', the number of elements in its "
          + "answer; give this one another name", at: own.location)
    }
    let list = readList(object, stepId)
    let key = readKey(object)
    let fields = readFields(object)
    guard let list, let key, !fields.isEmpty else { return nil }
    let policy = RowsPolicy(list: list, key: key, fields: fields)
    if case .operation(let operation, _, _)? = target {
      reportSecrets(policy, in: operation, object)
    }
    return policy
  }

  private func readList(_ object: ObjectReader, _ stepId: String?) -> RuntimeExpression? {
    guard let node = object.required("list", "x-writ.rows") else { return nil }
    guard let expression = errors.expression(node) else { return nil }
    guard case .response(.body) = expression.source else {
      errors.report(
        "the list is a part of the response: $response.body, or $response.body#/<member>",
        at: node.location)
      return nil
    }
    // Of the list only the fields are kept, and those are looked at one by one.
    uses.note([expression], at: node.location, .response, step: stepId, isCondition: true)
    return expression
  }

  private func readKey(_ object: ObjectReader) -> JSONPointer? {
    guard let text = object.requiredString("key", "x-writ.rows") else { return nil }
    return pointer(text, at: object["key"])
  }

  private func readFields(_ object: ObjectReader) -> [RowsPolicy.Field] {
    guard let node = object.required("fields", "x-writ.rows") else { return [] }
    let members = object.map("fields")
    if node.members?.isEmpty == true {
      object.report("'fields' needs at least one member, such as id: /id", at: node)
    }
    return members.compactMap { member in
      if !ArazzoReader.isName(member.name) {
        errors.report(
          "the name of a field is made of \(ArazzoReader.namePattern)", at: member.nameLocation)
      }
      guard let text = member.value.string else {
        errors.report(
          "a field is the JSON Pointer of a member, such as /id", at: member.value.location)
        return nil
      }
      return pointer(text, at: member.value).map {
        RowsPolicy.Field(name: member.name, pointer: $0)
      }
    }
  }

  private func pointer(_ text: String, at node: DocumentNode?) -> JSONPointer? {
    if let pointer = JSONPointer(text), !pointer.tokens.isEmpty { return pointer }
    guard let node else { return nil }
    errors.report(
      "this must be the JSON Pointer of a member of an element, such as /id", at: node.location)
    return nil
  }

  /// Rows are read by people: nothing that the API marks as secret may get there, nor into the key that
  /// tells one row from another.
  private func reportSecrets(
    _ policy: RowsPolicy, in operation: Operation, _ object: ObjectReader
  ) {
    let schemas = operation.responses.flatMap { $0.content.compactMap(\.schema) }
    let list: [String?] = policy.list.pointer?.tokens ?? []
    func isSecret(_ pointer: JSONPointer) -> Bool {
      let member: [String?] = pointer.tokens
      return schemas.contains {
        SchemaSecrets.isSecret($0, list + [nil] + member)
          || SchemaSecrets.isSecret($0, list + member)
      }
    }
    if isSecret(policy.key) {
      object.report(
        "the API marks this as secret, and the key of a row is stored as it is; name another member",
        at: object["key"])
    }
    for field in policy.fields where isSecret(field.pointer) {
      errors.report(
        "the API marks this as secret, and rows can be read; leave it out",
        at: object["fields"]?[field.name]?.location ?? object.location)
    }
  }
}
