// The formats of inputs, as regular expressions that Swift and PostgreSQL read alike, so that both
// sides refuse the same texts.

extension InputProperty.Kind {
  /// The regular expression that a text of this kind matches as a whole; `nil` where there is none.
  ///
  /// The expressions use only what Swift's and PostgreSQL's dialects have in common.
  public var formatPattern: String? {
    switch self {
    case .uuid, .uuidArray:
      "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    case .email:
      "^[!-?A-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        + "([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$"
    case .dateTime:
      "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:"
        + "([0-5][0-9]|60)([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
    case .uri: "^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$"
    // The database also checks the last characters, which tell a whole key from a damaged one.
    case .publicKey: "^writ-public-v1-[A-Za-z0-9_-]{48}$"
    default: nil
    }
  }

  /// The rule that a value of this kind follows, to stand after the name of the input.
  public var rule: String {
    switch self {
    case .string: "must be a text"
    case .uuid: "must be a UUID"
    case .dateTime: "must be a date and time by RFC 3339, such as 2026-01-31T12:00:00Z"
    case .email: "must be an e-mail address"
    case .uri: "must be an absolute URI"
    case .publicKey: "must be a public key of writ keys generate"
    case .integer: "must be an integer"
    case .number: "must be a number"
    case .boolean: "must be true or false"
    case .stringArray: "must be a list of texts"
    case .uuidArray: "must be a list of UUIDs"
    case .integerArray: "must be a list of integers"
    case .json: "must be JSON"
    }
  }
}
