// Each operation's method and path as written in the API's description, for fault routes and tables.

extension Operation {
  /// The method and the path with its parameters in braces.
  public var template: (method: String, path: String) {
    let keys = "/api/organizations/{org_slug}/services/{service_slug}/api-keys"
    let service = "/api/organizations/{org_slug}/services/{service_slug}"
    return switch self {
    case .listServiceUsers: ("GET", "/api/service/users")
    case .createServiceUser: ("POST", "/api/service/users")
    case .getServiceUser: ("GET", "/api/service/users/{user_id}")
    case .updateServiceUser: ("PATCH", "/api/service/users/{user_id}")
    case .deleteServiceUser: ("DELETE", "/api/service/users/{user_id}")
    case .listServiceSubscriptions: ("GET", "/api/service/subscriptions")
    case .createServiceSubscription: ("POST", "/api/service/subscriptions")
    case .getServiceSubscription: ("GET", "/api/service/subscriptions/{user_id}")
    case .updateServiceSubscription: ("PATCH", "/api/service/subscriptions/{user_id}")
    case .deleteServiceSubscription: ("DELETE", "/api/service/subscriptions/{user_id}")
    case .getServiceAnalytics: ("GET", "/api/service/analytics")
    case .requestProviderToken: ("POST", "/api/service/provider-tokens")
    case .getServiceInfo: ("GET", "/api/service/info")
    case .updateServiceInfo: ("PATCH", "/api/service/info")
    case .createApiKey: ("POST", keys)
    case .listApiKeys: ("GET", keys)
    case .getApiKey: ("GET", "\(keys)/{api_key_id}")
    case .deleteApiKey: ("DELETE", "\(keys)/{api_key_id}")
    case .rotateServiceSecret: ("POST", "\(service)/secret/rotate")
    case .listServicePlans: ("GET", "\(service)/plans")
    case .login: ("POST", "/api/auth/login")
    case .refreshToken: ("POST", "/api/auth/refresh")
    case .verifyMfa: ("POST", "/api/auth/mfa/verify")
    case .health: ("GET", "/health")
    case .healthLive: ("GET", "/health/live")
    case .healthReady: ("GET", "/health/ready")
    case .jwks: ("GET", "/.well-known/jwks.json")
    }
  }

  /// The permission that the operation's API key needs; `nil` for operations made without one, and
  /// for `requestProviderToken`, whose permission depends on the provider.
  var permission: String? {
    switch self {
    case .listServiceUsers, .getServiceUser: "read:users"
    case .createServiceUser, .updateServiceUser: "write:users"
    case .deleteServiceUser: "delete:users"
    case .listServiceSubscriptions, .getServiceSubscription: "read:subscriptions"
    case .createServiceSubscription, .updateServiceSubscription: "write:subscriptions"
    case .deleteServiceSubscription: "delete:subscriptions"
    case .getServiceAnalytics: "read:analytics"
    case .getServiceInfo: "read:service"
    case .updateServiceInfo: "write:service"
    default: nil
    }
  }
}
