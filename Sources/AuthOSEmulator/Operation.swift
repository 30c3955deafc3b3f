// The routes: which path and method is which operation, and what guards it.

/// One operation of the API, named as in its OpenAPI description.
public enum Operation: String, Sendable, Hashable, CaseIterable {
  /// `GET /api/service/users`
  case listServiceUsers
  /// `POST /api/service/users`
  case createServiceUser
  /// `GET /api/service/users/{user_id}`
  case getServiceUser
  /// `PATCH /api/service/users/{user_id}`
  case updateServiceUser
  /// `DELETE /api/service/users/{user_id}`
  case deleteServiceUser
  /// `GET /api/service/subscriptions`
  case listServiceSubscriptions
  /// `POST /api/service/subscriptions`
  case createServiceSubscription
  /// `GET /api/service/subscriptions/{user_id}`
  case getServiceSubscription
  /// `PATCH /api/service/subscriptions/{user_id}`
  case updateServiceSubscription
  /// `DELETE /api/service/subscriptions/{user_id}`
  case deleteServiceSubscription
  /// `GET /api/service/analytics`
  case getServiceAnalytics
  /// `POST /api/service/provider-tokens`
  case requestProviderToken
  /// `GET /api/service/info`
  case getServiceInfo
  /// `PATCH /api/service/info`
  case updateServiceInfo
  /// `POST /api/organizations/{org_slug}/services/{service_slug}/api-keys`
  case createApiKey
  /// `GET /api/organizations/{org_slug}/services/{service_slug}/api-keys`
  case listApiKeys
  /// `GET /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}`
  case getApiKey
  /// `DELETE /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}`
  case deleteApiKey
  /// `POST /api/organizations/{org_slug}/services/{service_slug}/secret/rotate`
  case rotateServiceSecret
  /// `GET /api/organizations/{org_slug}/services/{service_slug}/plans`
  case listServicePlans
  /// `POST /api/auth/login`
  case login
  /// `POST /api/auth/refresh`
  case refreshToken
  /// `POST /api/auth/mfa/verify`
  case verifyMfa
  /// `GET /health`
  case health
  /// `GET /health/live`
  case healthLive
  /// `GET /health/ready`
  case healthReady
  /// `GET /.well-known/jwks.json`
  case jwks
}

/// A known path: the operations by method, what guards it, and its parameters.
struct Route {
  enum Guard { case apiKey, bearer, loginLimiter, mfaLimiter, none }

  var guardian: Guard
  /// The operations in the order in which `Allow` names their methods.
  var operations: [(method: String, operation: Operation)]
  /// The segments in braces, as sent.
  var parameters: [(name: String, segment: Substring)] = []

  /// The value of `Allow`: every method, and `HEAD` after `GET`, which serves it.
  var allow: String {
    operations.map { $0.method == "GET" ? "GET,HEAD" : $0.method }.joined(separator: ",")
  }

  /// The operation that serves a method.
  func operation(method: String) -> Operation? {
    let method = method == "HEAD" ? "GET" : method
    return operations.first { $0.method == method }?.operation
  }

  /// Finds the route of a path, or `nil` where the server has none.
  static func matching(_ path: String) -> Route? {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard path.utf8.first == UInt8(ascii: "/"), let first = segments.first else { return nil }
    switch first {
    case "api":
      switch segments.dropFirst().first {
      case "service": return service(Array(segments.dropFirst(2)))
      case "organizations": return management(Array(segments.dropFirst(2)))
      case "auth": return authentication(segments.dropFirst(2).joined(separator: "/"))
      default: return nil
      }
    default: return discovery(path)
    }
  }

  private static func service(_ segments: [Substring]) -> Route? {
    if segments.count == 2, !segments[1].isEmpty {
      var route: Route
      switch segments[0] {
      case "users":
        route = Route(
          guardian: .apiKey,
          operations: [
            ("GET", .getServiceUser), ("PATCH", .updateServiceUser),
            ("DELETE", .deleteServiceUser),
          ])
      case "subscriptions":
        route = Route(
          guardian: .apiKey,
          operations: [
            ("GET", .getServiceSubscription), ("PATCH", .updateServiceSubscription),
            ("DELETE", .deleteServiceSubscription),
          ])
      default: return nil
      }
      route.parameters = [("user_id", segments[1])]
      return route
    }
    guard segments.count == 1 else { return nil }
    let operations: [(String, Operation)]
    switch segments[0] {
    case "users": operations = [("GET", .listServiceUsers), ("POST", .createServiceUser)]
    case "subscriptions":
      operations = [
        ("GET", .listServiceSubscriptions), ("POST", .createServiceSubscription),
      ]
    case "analytics": operations = [("GET", .getServiceAnalytics)]
    case "provider-tokens": operations = [("POST", .requestProviderToken)]
    case "info": operations = [("GET", .getServiceInfo), ("PATCH", .updateServiceInfo)]
    default: return nil
    }
    return Route(guardian: .apiKey, operations: operations)
  }

  private static func management(_ segments: [Substring]) -> Route? {
    guard segments.count >= 4, segments[1] == "services", !segments.contains("") else { return nil }
    var parameters = [("org_slug", segments[0]), ("service_slug", segments[2])]
    let operations: [(String, Operation)]
    switch (segments[3], segments.count) {
    case ("api-keys", 4): operations = [("POST", .createApiKey), ("GET", .listApiKeys)]
    case ("api-keys", 5):
      operations = [("GET", .getApiKey), ("DELETE", .deleteApiKey)]
      parameters.append(("api_key_id", segments[4]))
    case ("secret", 5) where segments[4] == "rotate": operations = [("POST", .rotateServiceSecret)]
    case ("plans", 4): operations = [("GET", .listServicePlans)]
    default: return nil
    }
    return Route(guardian: .bearer, operations: operations, parameters: parameters)
  }

  private static func authentication(_ rest: String) -> Route? {
    switch rest {
    case "login": Route(guardian: .loginLimiter, operations: [("POST", .login)])
    case "refresh": Route(guardian: .loginLimiter, operations: [("POST", .refreshToken)])
    case "mfa/verify": Route(guardian: .mfaLimiter, operations: [("POST", .verifyMfa)])
    default: nil
    }
  }

  private static func discovery(_ path: String) -> Route? {
    switch path {
    case "/health": Route(guardian: .none, operations: [("GET", .health)])
    case "/health/live": Route(guardian: .none, operations: [("GET", .healthLive)])
    case "/health/ready": Route(guardian: .none, operations: [("GET", .healthReady)])
    case "/.well-known/jwks.json": Route(guardian: .none, operations: [("GET", .jwks)])
    default: nil
    }
  }
}
