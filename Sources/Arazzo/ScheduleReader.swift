// `x-writ.schedule` of a workflow.

internal import JSON

struct ScheduleReader {
  let errors: ErrorCollector
  let inputs: InputSchema
  /// The inputs that are declared and could not be read: what is wrong with them has been reported.
  var unreadInputs: Set<String> = []

  /// One schedule, or a list of them, each with a name of its own.
  func read(_ node: DocumentNode) -> [SchedulePolicy] {
    guard let elements = node.elements else { return [schedule(node)].compactMap { $0 } }
    if elements.isEmpty {
      errors.report("'schedule' needs at least one element; or leave it out", at: node.location)
    }
    var names: Set<String> = []
    for element in elements where elements.count > 1 {
      guard let name = element["name"] else {
        if element.members != nil {
          errors.report("each schedule of a list needs a 'name'", at: element.location)
        }
        continue
      }
      if let text = name.string, !names.insert(text).inserted {
        errors.report("there are two schedules '\(text)'", at: name.location)
      }
    }
    return elements.compactMap(schedule)
  }

  private func schedule(_ node: DocumentNode) -> SchedulePolicy? {
    guard
      let object = ObjectReader(
        node, "a schedule",
        fields: [
          "name", "cron", "timeZone", "inputs", "environment", "environments", "queue", "priority",
          "missed",
        ], isExtensible: false, errors: errors)
    else { return nil }
    let name = object.string("name")
    if let name, !Self.isName(name) {
      object.report("the name of a schedule \(Self.nameRule)", at: object["name"])
    }
    checkInputs(object)
    let cron = readCron(object)
    let timeZone = readTimeZone(object)
    let environments = readEnvironments(object)
    let queue = object.string("queue")
    if let queue, !Self.isName(queue) {
      object.report("the name of a queue \(Self.nameRule)", at: object["queue"])
    }
    let priority = object.integer("priority", in: 0...9)
    let missed = object.choice("missed", as: MissedFiring.self) ?? .once
    guard let cron else { return nil }
    return SchedulePolicy(
      name: name, cron: cron, timeZone: timeZone,
      inputs: object["inputs"]?.value.objectValue ?? JSONObject(),
      environments: environments, queue: queue, priority: priority, missed: missed)
  }

  private func readCron(_ object: ObjectReader) -> CronExpression? {
    guard let text = object.requiredString("cron", "a schedule") else { return nil }
    do {
      return try CronExpression(parsing: text)
    } catch {
      object.report("the cron expression \(error.rule)", at: object["cron"])
      return nil
    }
  }

  /// The form of the name; whether the zone exists is known to the database, which asks at publishing.
  private func readTimeZone(_ object: ObjectReader) -> String {
    guard let name = object.string("timeZone") else { return "UTC" }
    let isName =
      name.utf8.count <= 64 && name.first?.isLetter == true
      && name.utf8.allSatisfy { $0 < 128 }
      && name.allSatisfy {
        $0.isLetter || $0.isNumber || "_+-/".contains($0)
      }
    if !isName {
      object.report(
        "'timeZone' must be a name of the IANA time zone database, such as Europe/Berlin",
        at: object["timeZone"])
    }
    return name
  }

  private func readEnvironments(_ object: ObjectReader) -> [String] {
    if let node = object["environments"], object["environment"] != nil {
      object.report("a schedule has either 'environment' or 'environments'", at: node)
    }
    var names: [(text: String, node: DocumentNode)] = []
    if let name = object.string("environment"), let node = object["environment"] {
      names = [(name, node)]
    } else if object["environments"] != nil {
      names = object.strings("environments")
      if object["environments"]?.elements?.isEmpty == true {
        object.report("'environments' needs at least one element", at: object["environments"])
      }
    }
    var seen: Set<String> = []
    for (name, node) in names {
      if !Self.isName(name) {
        errors.report("the name of an environment \(Self.nameRule)", at: node.location)
      } else if !seen.insert(name).inserted {
        errors.report("'\(name)' is named twice", at: node.location)
      }
    }
    return names.map(\.text)
  }

  private func checkInputs(_ object: ObjectReader) {
    let node = object["inputs"]
    if let node, node.members == nil {
      object.report("'inputs' must be an object, but this is \(node.kindName)", at: node)
      return
    }
    for violation in inputs.validate(node?.value ?? .object(JSONObject())) {
      if let field = violation.field, unreadInputs.contains(field) { continue }
      let place = violation.field.flatMap { node?[$0] } ?? node ?? object.node
      errors.report(
        "the input \(violation.field.map { "'\($0)' " } ?? "")\(violation.rule)",
        at: place.location)
    }
  }

  static let nameRule =
    "is a lower-case letter, then at most 62 lower-case letters, digits, _ or -"

  static func isName(_ text: String) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = text.utf8.first, letters.contains(first), text.utf8.count <= 63 else {
      return false
    }
    return text.utf8.allSatisfy {
      letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_")
        || $0 == UInt8(ascii: "-")
    }
  }
}
