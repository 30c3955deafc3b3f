// An OpenAPI 3.1 description as checked values: the operations that a job can call.

public import JSON

/// A method of HTTP that OpenAPI knows.
public enum HTTPMethod: String, Sendable, Hashable, CaseIterable {
  /// The methods, spelled as OpenAPI does.
  case get, put, post, delete, options, head, patch, trace

  /// Whether HTTP says that it changes nothing.
  var onlyReads: Bool {
    switch self {
    case .get, .head, .options, .trace: true
    case .post, .put, .patch, .delete: false
    }
  }

  /// As it stands in a request line.
  public var name: String { rawValue.uppercased() }
}

/// What an operation does to the outside world (`x-effect`).
public enum OperationEffect: String, Sendable, Hashable, CaseIterable {
  /// It only reads.
  case none
  /// It makes something that was not there.
  case create
  /// It changes something.
  case update
  /// It takes something away.
  case delete
}

/// Where a parameter stands in a request.
public enum ParameterLocation: String, Sendable, Hashable, CaseIterable {
  /// The locations that are supported, spelled as OpenAPI does.
  case path, query, header, cookie
  /// The whole query of the URL as one text (OpenAPI 3.2, Arazzo 1.1).
  case querystring
}

/// A parameter of an operation.
public struct OperationParameter: Sendable, Hashable {
  /// The name; header names are compared without regard to case.
  public var name: String
  /// Where it stands.
  public var location: ParameterLocation
  /// Whether a request must have it.
  public var isRequired: Bool
  /// Whether each element of a list, and each member of an object, is a parameter of its own.
  public var explodes: Bool
  /// Its schema, references resolved; `true` where none is given.
  public var schema: JSONValue
}

/// The schema of one content type.
public struct MediaTypeDescription: Sendable, Hashable {
  /// The content type, for example `application/json`.
  public var contentType: String
  /// Its schema, references resolved; a reference that leads back to itself is left as it is, and marked as
  /// secret where anything behind it is.
  public var schema: JSONValue?
  /// Its `example`, or the first of its `examples`.
  public var example: JSONValue?
}

/// The body that an operation takes.
public struct RequestBodyDescription: Sendable, Hashable {
  /// Whether a request must have a body.
  public var isRequired: Bool
  /// The content types, in the order of the document; at least one.
  public var content: [MediaTypeDescription]
}

/// Which statuses a response describes.
public enum StatusPattern: Sendable, Hashable {
  /// One status.
  case code(Int)
  /// A hundred statuses: 2 for `2XX`.
  case range(Int)
  /// All that are not described otherwise.
  case `default`
}

/// A header field of a response.
public struct HeaderDescription: Sendable, Hashable {
  /// The name, which is compared without regard to case.
  public var name: String
  /// Its schema, references resolved as in a content type; `true` where none is given.
  public var schema: JSONValue
}

/// A response that an operation may give.
public struct ResponseDescription: Sendable, Hashable {
  /// Which statuses it describes.
  public var status: StatusPattern
  /// What it means.
  public var description: String
  /// The header fields that are described, in the order of the document.
  public var headers: [HeaderDescription]
  /// The content types, in the order of the document.
  public var content: [MediaTypeDescription]
}

/// A way to authenticate.
public struct SecurityScheme: Sendable, Hashable {
  /// The ways that are supported.
  public enum Kind: Sendable, Hashable {
    /// A key under this name, at this place.
    case apiKey(name: String, in: KeyLocation)
    /// `Authorization: Bearer …`.
    case bearer
    /// `Authorization: Basic …`.
    case basic
  }

  /// Where a key stands in a request.
  public enum KeyLocation: String, Sendable, Hashable, CaseIterable {
    /// The locations, spelled as OpenAPI does.
    case header, query, cookie
  }

  /// The name in `components.securitySchemes`.
  public var name: String
  /// The way.
  public var kind: Kind
  /// The last word of the names of its secrets where the document chooses one (`x-writ.secret`).
  public var secretWord: String?
  /// `x-writ.session`, as written: how a session is opened.
  public var session: JSONValue?

  /// The last words of the names of its secrets: `key`, `token`, or `user` and `password`, unless the
  /// document chooses another; none where the worker opens a session.
  public var secretWords: [String] {
    if session != nil { return [] }
    switch kind {
    case .apiKey: return [secretWord ?? "key"]
    case .bearer: return [secretWord ?? "token"]
    case .basic: return ["user", "password"]
    }
  }

  /// Where it stands in a request; two schemes at one place cannot be sent together.
  var place: String {
    switch kind {
    case .apiKey(let name, .header): "header \(name.lowercased())"
    case .apiKey(let name, let location): "\(location.rawValue) \(name)"
    case .bearer, .basic: "header authorization"
    }
  }
}

/// How requests are signed (`x-writ.signature`).
public enum SignatureScheme: String, Sendable, Hashable, CaseIterable {
  /// Not at all.
  case none
  /// By the specification of Standard Webhooks.
  case standardWebhooks
}

/// One operation of an API.
public struct Operation: Sendable, Hashable {
  /// The name that is unique in the document.
  public var operationId: String?
  /// The method.
  public var method: HTTPMethod
  /// The path template, for example `/users/{id}`.
  public var path: String
  /// One line about it.
  public var summary: String?
  /// All parameters, those of the path included.
  public var parameters: [OperationParameter]
  /// The body that it takes.
  public var requestBody: RequestBodyDescription?
  /// The responses, in the order of the document.
  public var responses: [ResponseDescription]
  /// The base URLs: of the operation, of the path, or of the document, whichever is nearest.
  public var servers: [String]
  /// The alternatives to authenticate; within one, all named schemes together; empty for none.
  public var security: [[String]]
  /// The permissions that the key needs (`x-required-permission`), sorted.
  public var requiredPermissions: [String]
  /// What it does to the outside world: `x-effect`, or what its method suggests.
  public var effect: OperationEffect
  /// Whether the document says so (`x-effect`), or the method only reads.
  public var declaresEffect: Bool
  /// How its requests are signed.
  public var signature: SignatureScheme
  /// Other `x-` fields.
  public var extensions: JSONObject
  /// Where it is described.
  public var location: SourceLocation

  /// `operationId`, or method and path where it has none.
  public var name: String { operationId ?? "\(method.name) \(path)" }

  /// The response that describes a status: its own, then its range, then `default`.
  public func response(for status: Int) -> ResponseDescription? {
    responses.first { $0.status == .code(status) }
      ?? responses.first { $0.status == .range(status / 100) }
      ?? responses.first { $0.status == .default }
  }

  /// Whether a status is one that the operation describes as a success: a step without success
  /// criteria succeeds exactly then.
  public func describesSuccess(_ status: Int) -> Bool {
    guard (200...299).contains(status) else { return false }
    return responses.contains { $0.status == .code(status) || $0.status == .range(2) }
  }

  /// Whether there is a status that is described as a success.
  var describesAnySuccess: Bool { (200...299).contains(where: describesSuccess) }

  /// Whether the body of an error tells the service's own refusals from those of others on the way.
  ///
  /// True where the response for the status is described as JSON that requires `error_code`: then a
  /// body without one was not written by the service.
  public func describesErrorCode(_ status: Int) -> Bool {
    response(for: status)?.content.contains { media in
      media.schema?["required"]?.arrayValue?.contains("error_code") == true
    } ?? false
  }

  /// The parameter of a name and place; header names without regard to case.
  public func parameter(_ name: String, in location: ParameterLocation) -> OperationParameter? {
    parameters.first { candidate in
      candidate.location == location
        && (candidate.name == name
          || location == .header && candidate.name.lowercased() == name.lowercased())
    }
  }
}

/// An OpenAPI description.
public struct OpenAPIDocument: Sendable, Hashable {
  /// The file, as the catalogue named it.
  public var file: String
  /// `info.title`.
  public var title: String
  /// `info.version`.
  public var version: String
  /// The base URLs of the document.
  public var servers: [String]
  /// The operations, in the order of the document.
  public var operations: [Operation]
  /// The ways to authenticate, by name.
  public var securitySchemes: [String: SecurityScheme]
  /// Whether the operations are carried out by the worker itself (`x-writ-local: true`).
  public var isLocal: Bool
  /// Other `x-` fields.
  public var extensions: JSONObject

  /// The operation of a name.
  public func operation(id: String) -> Operation? {
    operations.first { $0.operationId == id }
  }

  /// The schemes that a request of an operation authenticates with: those of the first alternative.
  public func schemes(of operation: Operation) -> [SecurityScheme] {
    (operation.security.first ?? []).compactMap { securitySchemes[$0] }
  }

  /// The operation of a method and a path template.
  public func operation(_ method: HTTPMethod, _ path: String) -> Operation? {
    operations.first { $0.method == method && $0.path == path }
  }

  /// The operation at a JSON Pointer such as `/paths/~1users~1{id}/get`.
  public func operation(at pointer: JSONPointer) -> Operation? {
    let tokens = pointer.tokens
    if tokens.count == 2, tokens[0] == "paths" {
      // A pointer at the path, which has one operation: it can mean no other.
      let here = operations.filter { $0.path == tokens[1] }
      return here.count == 1 ? here[0] : nil
    }
    guard tokens.count == 3, tokens[0] == "paths", let method = HTTPMethod(rawValue: tokens[2])
    else { return nil }
    return operation(method, tokens[1])
  }
}
