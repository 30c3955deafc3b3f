// The secrets of one request as the store had them at one moment, checked for the place that each takes.

import FoundationEssentials
import JobModel
import Secrets

/// Secrets that were read together.
struct HeldSecrets: Sendable {
  private struct Item: Sendable {
    var place: SecretUse.Place
    var names: [SecretName]
    var secrets: [Secret]
  }

  private var items: [Item] = []

  /// All names, in the order of the request's uses.
  var names: [SecretName] { items.flatMap(\.names) }

  /// All secrets, as ``names``.
  var secrets: [Secret] { items.flatMap(\.secrets) }

  /// The names as a sentence lists them.
  var namesInWords: String { names.map(\.description).joined(separator: " and ") }

  /// Reads the secrets of a request.
  ///
  /// Of the places where a use may have its secrets, the first that holds any of them counts: user and
  /// password never come from two places.
  init(_ uses: [SecretUse], in store: any SecretStore) throws(TransportFailure) {
    for use in uses { items.append(try Self.read(use, store)) }
  }

  private static func read(
    _ use: SecretUse, _ store: any SecretStore
  ) throws(TransportFailure) -> Item {
    for names in use.names {
      var item = Item(place: use.place, names: [], secrets: [])
      var missing: [String] = []
      for text in names {
        guard let name = try? SecretName(text) else { throw .credentialMissing(name: text) }
        let secret: Secret?
        do {
          secret = try store.read(name)
        } catch {
          throw .credentialMissing(name: text)
        }
        item.names.append(name)
        if let secret { item.secrets.append(secret) } else { missing.append(text) }
      }
      if missing.isEmpty {
        try check(item)
        return item
      }
      guard item.secrets.isEmpty else {
        throw .credentialMissing(name: missing.joined(separator: " and "))
      }
    }
    throw .credentialMissing(name: use.namesInWords)
  }

  // MARK: Sending

  /// What the sender puts into the request.
  var authorizations: [OutgoingRequest.Authorization] {
    items.compactMap { item in
      switch item.place {
      case .header(let name, let prefix):
        .init(.header(name: name, prefix: prefix), item.secrets[0])
      case .query(let name): .init(.query(name: name), item.secrets[0])
      case .cookie(let name): .init(.cookie(name: name), item.secrets[0])
      case .basic:
        .init(
          .header(name: "authorization", prefix: "Basic "),
          Self.basic(user: item.secrets[0], password: item.secrets[1]))
      case .standardWebhooks: nil
      }
    }
  }

  /// The header fields that sign a message; none where nothing is to be signed.
  func signature(
    id: String, timestamp: Int, body: [UInt8]
  ) throws(TransportFailure) -> [(name: String, value: String)] {
    for item in items where item.place == .standardWebhooks {
      return try StandardWebhooks.headers(
        id: id, timestamp: timestamp, body: body, keys: Self.keys(item))
    }
    return []
  }

  /// The texts by which an answer would give a credential away.
  var traces: CredentialTraces {
    CredentialTraces(
      items.flatMap { item -> [Secret] in
        // The name of a user is no secret; what it makes together with the password is.
        item.place == .basic
          ? [item.secrets[1], Self.basic(user: item.secrets[0], password: item.secrets[1])]
          : item.secrets
      })
  }

  // RFC 7617, section 2: "user-id and password … separated by a single colon", base64 of the whole.
  private static func basic(user: Secret, password: Secret) -> Secret {
    var bytes: [UInt8] = []
    user.withBytes { bytes += $0 }
    bytes.append(UInt8(ascii: ":"))
    password.withBytes { bytes += $0 }
    return Secret(Data(bytes).base64EncodedString())
  }

  private static func keys(_ item: Item) throws(TransportFailure) -> [StandardWebhooks.Key] {
    do {
      return try StandardWebhooks.keys(item.secrets[0])
    } catch {
      throw .credentialUnusable(name: item.names[0].description, reason: error.description)
    }
  }

  /// Refuses a secret that would break out of its place.
  private static func check(_ item: Item) throws(TransportFailure) {
    let fault: String? =
      switch item.place {
      case .header:
        item.secrets[0].isVisible(except: "") ? nil : "a header takes visible ASCII characters only"
      case .cookie:
        item.secrets[0].isVisible(except: "\",;\\")
          ? nil
          : "a cookie takes visible ASCII characters without quotes, commas, semicolons and \\"
      case .basic:
        item.secrets[0].withBytes { $0.contains(UInt8(ascii: ":")) }
          ? "the name of a user has no colon" : nil
      case .query: nil
      case .standardWebhooks: nil
      }
    if let fault {
      throw .credentialUnusable(name: item.names[0].description, reason: fault)
    }
    if item.place == .standardWebhooks { _ = try keys(item) }
  }
}

extension Secret {
  fileprivate func isVisible(except others: String) -> Bool {
    withBytes { bytes in
      bytes.allSatisfy { (0x21...0x7E).contains($0) && !others.utf8.contains($0) }
    }
  }
}
