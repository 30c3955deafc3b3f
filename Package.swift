// swift-tools-version: 6.2
import PackageDescription

// One target a role; imports point one way (README, "Map of the source").
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(
  name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(
  _ name: String, uses dependencies: [Target.Dependency] = [], plugins: [Target.PluginUsage] = []
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict, plugins: plugins)
}

func tests(
  _ name: String, uses dependencies: [Target.Dependency], excluding excluded: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: excluded, swiftSettings: strict)
}

let package = Package(
  name: "writ",
  products: [
    .executable(name: "writ", targets: ["writ"]),
    .executable(name: "writ-bench", targets: ["writ-bench"]),
  ],
  // Exact versions: this manifest is the lock; these resolve and build together.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    module("JSON"),
    module("JSONPath", uses: ["JSON"]),
    module("Postgres", uses: ["CLibPQ"]),
    module("PostgresCluster"),
    module("Arazzo", uses: ["JSON", "JSONPath", yams]),
    module("Secrets", uses: [crypto]),
    module("JobModel", uses: ["Arazzo", "JSON", "Secrets"]),
    module(
      "JobStore", uses: ["Arazzo", "JSON", "JobModel", "Postgres", crypto],
      plugins: ["EmbedFiles"]),
    module(
      "JobRunner",
      uses: [
        "Arazzo", "JSON", "JobModel", "JobStore", "Postgres", "Secrets",
        asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL, serviceLifecycle,
      ]),
    module(
      "AuthOSEmulator",
      uses: ["JSON", crypto, cryptoExtras, hummingbird, httpTypes, logging, nioCore, nioPosix]),
    .executableTarget(
      name: "writ",
      dependencies: [
        "Arazzo", "AuthOSEmulator", "JSON", "JobModel", "JobRunner", "JobStore", "Postgres",
        "PostgresCluster", "Secrets", argumentParser, logging, serviceLifecycle,
        unixSignals, yams,
      ],
      swiftSettings: strict),
    .executableTarget(name: "embed-files", swiftSettings: strict),
    module(
      "WritTesting", uses: ["Postgres", "PostgresCluster", crypto, nioCore, nioHTTP1, nioPosix]),
    tests("ArazzoTests", uses: ["Arazzo", "JSON"]),
    tests(
      "AuthOSEmulatorTests",
      uses: ["AuthOSEmulator", "JSON", crypto, cryptoExtras, logging, nioCore, nioPosix]),
    tests("JSONPathTests", uses: ["JSON", "JSONPath"]),
    tests("JSONTests", uses: ["JSON"]),
    tests("JobModelTests", uses: ["Arazzo", "JSON", "JobModel", "Secrets"]),
    tests(
      "JobRunnerTests",
      uses: [
        "Arazzo", "AuthOSEmulator", "JSON", "JobModel", "JobRunner", "JobStore", "Postgres",
        "Secrets", "WritTesting", crypto, logging, nioCore, nioPosix, nioSSL, serviceLifecycle,
      ]),
    tests(
      "JobStoreTests",
      uses: [
        "Arazzo", "JSON", "JobModel", "JobStore", "Postgres", "PostgresCluster", "Secrets",
        "WritTesting",
      ]),
    tests("PostgresClusterTests", uses: ["Postgres", "PostgresCluster"]),
    tests("PostgresTests", uses: ["Postgres", "PostgresCluster", "WritTesting"]),
    tests("SecretsTests", uses: ["Secrets", crypto]),
    tests(
      "PromiseTests",
      uses: [
        "Arazzo", "AuthOSEmulator", "JSON", "JobModel", "JobStore", "Postgres", "PostgresCluster",
        "Secrets", "WritTesting", "writ", logging,
      ], excluding: ["Upgrade/version-7.sql"]),
    tests(
      "WritTests",
      uses: [
        "Arazzo", "AuthOSEmulator", "JSON", "JobRunner", "JobStore", "Postgres", "writ",
        argumentParser, logging,
      ]),
    .executableTarget(
      name: "writ-bench",
      dependencies: ["Arazzo", "JSON", "JobModel", "JobStore", "Postgres", "PostgresCluster"],
      path: "Benchmarks/WritBench",
      swiftSettings: strict),
    .plugin(name: "EmbedFiles", capability: .buildTool(), dependencies: ["embed-files"]),
  ],
  swiftLanguageModes: [.v6]
)
