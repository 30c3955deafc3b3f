// Turning a seed into rows. Seeding is not an effect of a request, so the ledger says nothing of it.

extension EmulatedState {
  /// Inserts everything that a seed names.
  mutating func plant(_ seed: EmulatorSeed, at now: UTCTime) -> SeededValues {
    var identifiers = SeededGenerator(seed: seed.number)
    var values = SeededValues()
    let created = settings.databaseTime(now)
    let organization = Organization(
      id: identifiers.uuid(), slug: seed.organizationSlug, status: seed.organizationStatus)
    organizations[organization.id] = organization
    values.organizationID = organization.id

    values.serviceID = identifiers.uuid()
    services[values.serviceID] = Service(
      id: values.serviceID, organizationID: organization.id, slug: seed.serviceSlug,
      name: seed.serviceName, serviceType: "web", clientID: identifiers.uuid(),
      clientSecret: digest(random.uuid()),
      providers: seed.providerScopes.mapValues { ProviderSettings(scopes: $0) },
      redirectURIs: seed.redirectURIs, createdAt: created)
    for (index, name) in seed.planNames.enumerated() {
      let id = identifiers.uuid()
      plans[id] = Plan(
        id: id, serviceID: values.serviceID, name: name, priceCents: index * 1000,
        isDefault: index == 0, createdAt: created)
      values.planIDs[name] = id
    }
    plantOtherService(organization, &values, &identifiers, created)
    for account in seed.accounts {
      let id = plant(account, organization, values.serviceID, &identifiers, created)
      values.accountIDs[account.email] = id
    }
    for user in seed.users {
      values.userIDs[user.email] = plant(user, serviceID: values.serviceID, &identifiers, at: now)
    }
    let owner = seed.accounts.first.flatMap { values.accountIDs[$0.email] } ?? ""
    for key in seed.apiKeys {
      let secret = key.key ?? random.apiKey()
      _ = insertKey(
        secret, name: key.name, permissions: key.permissions, serviceID: values.serviceID,
        expiresAt: key.expiresAt, createdBy: owner, at: now)
      values.apiKeys[key.name] = secret
    }
    return values
  }

  private mutating func plantOtherService(
    _ organization: Organization, _ values: inout SeededValues,
    _ identifiers: inout SeededGenerator, _ created: UTCTime
  ) {
    let service = Service(
      id: identifiers.uuid(), organizationID: organization.id, slug: values.otherServiceSlug,
      name: "Back office", serviceType: "web", clientID: identifiers.uuid(),
      clientSecret: digest(random.uuid()), providers: [:], redirectURIs: [], createdAt: created)
    services[service.id] = service
    values.otherServicePlanID = identifiers.uuid()
    plans[values.otherServicePlanID] = Plan(
      id: values.otherServicePlanID, serviceID: service.id, name: "free", priceCents: 0,
      isDefault: true, createdAt: created)
  }

  private mutating func plant(
    _ account: SeedAccount, _ organization: Organization, _ serviceID: String,
    _ identifiers: inout SeededGenerator, _ created: UTCTime
  ) -> String {
    var user = User(
      id: identifiers.uuid(), organizationID: nil, email: account.email, createdAt: created)
    user.password = Password(account.password, salt: user.id)
    user.emailIsVerified = account.emailIsVerified
    user.totpSecret = account.totpSecret
    user.loginRefusal = account.loginRefusal
    switch account.role {
    case .owner, .admin: user.memberships[organization.id] = .administrator
    case .custom(let capabilities):
      user.memberships[organization.id] = .custom(capabilities: capabilities)
    case .member(let grant):
      user.memberships[organization.id] = .member(
        grants: grant.map { [serviceID: $0] } ?? [:])
    case .outsider: break
    }
    insert(user)
    return user.id
  }

  /// Inserts a user of the service's organization with everything that the seed says of it.
  mutating func plant(
    _ seed: SeedUser, serviceID: String, _ identifiers: inout some RandomNumberGenerator,
    at now: UTCTime
  ) -> String {
    var user = User(
      id: identifiers.uuid(), organizationID: services[serviceID]?.organizationID,
      email: seed.email, createdAt: settings.databaseTime(now))
    let linkage = Linkage(userID: user.id, serviceID: serviceID)
    if seed.isLinked { links.insert(linkage, provider: "service_api") }
    if let password = seed.password {
      user.password = Password(password, salt: user.id)
      user.emailIsVerified = true
      links.insert(linkage, provider: "password")
    }
    insert(user)
    if let plan = plans.values.first(where: { $0.serviceID == serviceID && $0.name == seed.plan }) {
      subscriptions[linkage] = Subscription(
        id: identifiers.uuid(), userID: user.id, serviceID: serviceID, planID: plan.id,
        status: seed.status,
        currentPeriodEnd: settings.stored(
          seed.currentPeriodEnd ?? now.adding(seconds: 30 * 86_400)))
    }
    for account in seed.connectedAccounts {
      let key = AccountKey(userID: user.id, provider: account.provider)
      accounts[key, default: []].append(
        ConnectedAccount(
          id: identifiers.uuid(), providerUserID: account.providerUserID, email: seed.email,
          displayName: nil, scopes: account.scopes, token: account.token,
          tokenExpiresAt: account.tokenExpiresAt, grantedScopes: account.grantedScopes))
    }
    return user.id
  }
}
