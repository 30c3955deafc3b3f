// An object that keeps the order of its members.

/// The members of a JSON object, in the order of the document.
///
/// Two names are the same when they have the same Unicode scalars, as for PostgreSQL and RFC 8259; Swift's
/// `==` also takes other ways to write a character for the same.
///
/// Look-up walks the members: objects of API bodies are small, and a walk over a dozen members
/// beats hashing.
public struct JSONObject: Sendable {
  /// The members in order; no name occurs twice.
  public private(set) var members: [(name: String, value: JSONValue)]

  /// An object without members.
  public init() { members = [] }

  /// An object of these members; a later member replaces an earlier one of the same name.
  public init(_ members: some Sequence<(String, JSONValue)>) {
    self.members = []
    for (name, value) in members { self[name] = value }
  }

  /// The value of a member; setting `nil` removes it, setting a new name appends it.
  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name.isSame(as: name) }?.value }
    set {
      let index = members.firstIndex { $0.name.isSame(as: name) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append((name, value))
      case (nil, nil): break
      }
    }
  }

  /// Appends members whose names the parser has found to be distinct.
  mutating func append(checked members: [(String, JSONValue)]) {
    self.members.append(contentsOf: members.lazy.map { (name: $0.0, value: $0.1) })
  }

  /// The names in order.
  public var names: [String] { members.map(\.name) }

  /// Whether there is no member.
  public var isEmpty: Bool { members.isEmpty }

  /// The number of members.
  public var count: Int { members.count }
}

extension JSONObject: Hashable {
  /// Whether both have equal members, in whatever order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.name] == $0.value }
  }

  /// Hashes the members without regard to their order.
  public func hash(into hasher: inout Hasher) {
    var combined = 0
    for member in members {
      var own = Hasher()
      own.combine(member.name)
      own.combine(member.value)
      combined ^= own.finalize()
    }
    hasher.combine(combined)
  }
}

extension JSONObject: Sequence {
  /// Iterates over the members in order.
  public func makeIterator() -> IndexingIterator<[(name: String, value: JSONValue)]> {
    members.makeIterator()
  }
}

extension String {
  /// Whether both have the same Unicode scalars; `==` also takes other ways to write a character.
  public func isSame(as other: String) -> Bool { self == other && utf8.elementsEqual(other.utf8) }
}

/// A member's name as a key: what is the same for JSON, and nothing else, is equal.
package struct MemberName: Hashable {
  let text: String

  /// The key of a name.
  package init(_ text: String) { self.text = text }

  /// Whether both have the same Unicode scalars.
  package static func == (left: MemberName, right: MemberName) -> Bool {
    left.text.isSame(as: right.text)
  }

  /// Hashes the name; names that Swift takes for equal hash alike.
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
