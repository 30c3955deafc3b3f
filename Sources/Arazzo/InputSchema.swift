// The inputs of a workflow: the subset of JSON Schema that maps to SQL parameters.

public import JSON

/// The inputs of a workflow, in the order of the document.
///
/// The supported subset: an object (`type: object`) of properties, where a property is
/// - a `string` with `format` (`uuid`, `date-time`, `email`, `uri`, `writ-public-key`),
///   `minLength`, `maxLength`, `pattern`, `enum`;
/// - an `integer` or a `number` with `minimum`, `maximum`;
/// - a `boolean`;
/// - an `array` of strings, uuids or integers with `minItems`, `maxItems`;
/// - an `object`, or an `array` of other elements: passed as jsonb, unchecked inside;
/// - anything else (no `type`): passed as jsonb, any value.
///
/// `type: [string, "null"]` allows null. Properties that are not listed are refused.
public struct InputSchema: Sendable, Hashable {
  /// The properties.
  public var properties: [InputProperty]
  /// The description of the object.
  public var description: String?

  /// A schema of these properties.
  public init(properties: [InputProperty] = [], description: String? = nil) {
    self.properties = properties
    self.description = description
  }

  /// The property of a name.
  public subscript(name: String) -> InputProperty? { properties.first { $0.name == name } }

  /// The properties that a caller passes: all but those that the worker's environment or the job
  /// itself supplies.
  public var parameters: [InputProperty] {
    properties.filter { !$0.policy.isSupplied }
  }
}

/// One input.
public struct InputProperty: Sendable, Hashable {
  /// The kinds of value, each with a type in SQL.
  public enum Kind: Sendable, Hashable {
    /// `text`.
    case string
    /// `uuid`.
    case uuid
    /// `timestamptz`; RFC 3339.
    case dateTime
    /// `text` that is an e-mail address.
    case email
    /// `text` that is an absolute URI.
    case uri
    /// `text` that is a public key of `writ keys generate`.
    case publicKey
    /// `bigint`.
    case integer
    /// `numeric`.
    case number
    /// `boolean`.
    case boolean
    /// `text[]`.
    case stringArray
    /// `uuid[]`.
    case uuidArray
    /// `bigint[]`.
    case integerArray
    /// `jsonb`.
    case json
  }

  /// What a `jsonb` can be held to.
  public enum JSONType: String, Sendable, Hashable, CaseIterable {
    /// `{…}`, whatever its members.
    case object
    /// `[…]`, whatever its elements.
    case array

    /// The rule that a value follows, to stand after the name of the input.
    public var rule: String {
      switch self {
      case .object: "must be an object"
      case .array: "must be a list"
      }
    }

    /// Whether a value is of this type.
    func includes(_ value: JSONValue) -> Bool {
      switch self {
      case .object: value.objectValue != nil
      case .array: value.arrayValue != nil
      }
    }
  }

  /// The limits on a value; lengths count Unicode scalars, as PostgreSQL's `length` does.
  public struct Constraints: Sendable, Hashable {
    /// The fewest characters.
    public var minLength: Int?
    /// The most characters.
    public var maxLength: Int?
    /// A regular expression that must match somewhere in the text.
    public var pattern: InputPattern?
    /// The only texts that are allowed.
    public var allowedValues: [String]?
    /// The smallest number.
    public var minimum: JSONNumber?
    /// The greatest number.
    public var maximum: JSONNumber?
    /// The fewest elements.
    public var minItems: Int?
    /// The most elements.
    public var maxItems: Int?
    /// What a value of kind ``Kind/json`` has to be; `nil` for any JSON.
    public var jsonType: JSONType?

    /// No limits.
    public init() {}
  }

  /// How the value is put into a form that is the same for equal meanings.
  public enum Normalization: String, Sendable, Hashable, CaseIterable {
    /// Trimmed, and the domain in lower case.
    case email
    /// Trimmed, and all in lower case.
    case lowercase
  }

  /// A property of the job itself that supplies a value (`from: job`).
  public enum JobField: String, Sendable, Hashable, CaseIterable {
    /// Its number, as an integer; its environment's name; its type; the number of its attempt.
    case id, environment, type, attempt
  }

  /// `x-writ` of an input.
  public struct Policy: Sendable, Hashable {
    /// How the audit trail may record the value.
    public var record: RecordPolicy = .never
    /// The name of the setting of the worker's environment that supplies the value; `nil` where
    /// the caller passes it.
    public var environmentName: String?
    /// The property of the job that supplies the value; `nil` where the caller or the environment
    /// does.
    public var jobField: JobField?
    /// Whether the worker supplies the value, so that no caller may pass it.
    public var isSupplied: Bool { environmentName != nil || jobField != nil }
    /// How the value is normalized before it is checked and stored.
    public var normalization: Normalization?
    /// Why no value is taken, and what to do instead; `nil` for an input that takes values.
    ///
    /// For what callers can be expected to try: it is refused with this sentence when a job is ordered,
    /// instead of as unknown, or by the target much later.
    public var refusal: String?

    /// The policy of an input that says nothing.
    public init() {}
  }

  /// The name, also of the SQL parameter.
  public var name: String
  /// The kind of value.
  public var kind: Kind
  /// Whether `null` is a value.
  public var isNullable = false
  /// The limits.
  public var constraints = Constraints()
  /// Whether a value must be passed.
  public var isRequired = false
  /// The value where none is passed.
  public var defaultValue: JSONValue?
  /// The first of the `examples`, if it is an allowed value.
  public var example: JSONValue?
  /// What the value means.
  public var description: String?
  /// What `x-writ` says.
  public var policy = Policy()
  /// Other `x-` fields.
  public var extensions = JSONObject()
  /// Where it is declared.
  public var location: SourceLocation

  /// An optional input without limits.
  public init(name: String, kind: Kind, location: SourceLocation) {
    self.name = name
    self.kind = kind
    self.location = location
  }
}

/// Why a value was refused: the input and the rule, never the value.
public struct InputViolation: Error, Sendable, Hashable, CustomStringConvertible {
  /// The input at fault; `nil` where the whole is no object.
  public let field: String?
  /// The rule, to follow the name: `must be an e-mail address`.
  public let rule: String

  /// A violation.
  public init(field: String?, rule: String) {
    self.field = field
    self.rule = rule
  }

  /// The field and the rule: `email must be an e-mail address`.
  public var description: String { "\(field ?? "the inputs") \(rule)" }
}
