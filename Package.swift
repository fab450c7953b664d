// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
let memorySafe = strict + [.strictMemorySafety()]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

/// Everything below the command line, for the targets that wire it together.
let house: [Target.Dependency] = [
    "HoldfastCore", "HoldfastCrypto", "HoldfastEngine", "HoldfastFiles", "HoldfastJSON", "HoldfastStore",
]

let package = Package(
    name: "holdfast",
    products: [.executable(name: "holdfast", targets: ["holdfast"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.83.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
    ],
    targets: [
        // Floor 0: C modules. A module map and a shim, no logic.
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Floor 1: values and decisions. No I/O, no clock, no randomness.
        .target(name: "HoldfastJSON", swiftSettings: strict),
        .target(name: "HoldfastCrypto", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(
            name: "HoldfastCore", dependencies: ["HoldfastJSON", "HoldfastCrypto"], swiftSettings: memorySafe),

        // Floor 2: the loop and its ports.
        .target(
            name: "HoldfastEngine", dependencies: ["HoldfastCore", "HoldfastJSON", "HoldfastCrypto"],
            swiftSettings: memorySafe),

        // Floor 3: adapters. None imports another.
        .target(
            name: "HoldfastFiles",
            dependencies: ["HoldfastEngine", "HoldfastCore", "HoldfastCrypto", "HoldfastJSON", "CZlib", yams],
            swiftSettings: strict),
        .target(
            name: "HoldfastStore",
            dependencies: ["HoldfastEngine", "HoldfastCore", "HoldfastJSON", "HoldfastCrypto", grdb],
            swiftSettings: strict),
        .target(
            name: "HoldfastKafka", dependencies: ["HoldfastEngine", "HoldfastCore", "CRdKafka"],
            swiftSettings: strict),

        .target(
            name: "HoldfastHTTP", dependencies: ["HoldfastCrypto", "HoldfastJSON", "CCurl"], swiftSettings: strict),
        .target(
            name: "HoldfastCloud",
            dependencies: ["HoldfastHTTP", "HoldfastEngine", "HoldfastCore", "HoldfastCrypto", "HoldfastJSON"],
            swiftSettings: strict),

        // Floor 4: the simulation, and the server, a leaf.
        .target(
            name: "HoldfastServer",
            dependencies: [
                "HoldfastEngine", "HoldfastCore", "HoldfastCrypto", "HoldfastJSON", hummingbird, hummingbirdCore,
                httpTypes, jwt, lifecycle, logging, nio,
            ],
            swiftSettings: strict),
        .target(name: "HoldfastSimulation", dependencies: house, swiftSettings: strict),

        // Floor 5: wiring and command line only.
        .executableTarget(
            name: "holdfast",
            dependencies: house + [
                "HoldfastCloud", "HoldfastHTTP", "HoldfastKafka", "HoldfastServer", "HoldfastSimulation",
                argumentParser, lifecycle, logging, signals,
            ],
            resources: ["html", "css", "js"].map { .embedInCode("Replay/Page/replay.\($0)") },
            swiftSettings: strict),

        .testTarget(name: "HouseTests", swiftSettings: strict),
        .target(
            name: "JSONFuzzing", dependencies: ["HoldfastJSON"], path: "Tests/JSONFuzzing", swiftSettings: strict),
        .testTarget(
            name: "HoldfastJSONTests", dependencies: ["HoldfastJSON", "JSONFuzzing"], swiftSettings: strict),
        .testTarget(
            name: "HoldfastCoreTests",
            dependencies: ["HoldfastCore", "HoldfastJSON", "HoldfastCrypto", "HoldfastFiles"], swiftSettings: strict),
        .testTarget(name: "HoldfastEngineTests", dependencies: house, swiftSettings: strict),
        .testTarget(
            name: "HoldfastFilesTests",
            dependencies: ["HoldfastFiles", "HoldfastEngine", "HoldfastCore", "HoldfastJSON", "TestOracles"],
            swiftSettings: strict),
        .testTarget(name: "HoldfastStoreTests", dependencies: house + [grdb], swiftSettings: strict),
        .testTarget(
            name: "HoldfastKafkaTests", dependencies: ["HoldfastKafka", "HoldfastEngine", "HoldfastCore"],
            swiftSettings: strict),
        .target(
            name: "TestOracles", dependencies: ["HoldfastJSON"], path: "Tests/TestOracles", swiftSettings: strict),
        .testTarget(
            name: "HoldfastHTTPTests", dependencies: ["HoldfastHTTP", "HoldfastCrypto", "HoldfastJSON", "TestOracles"],
            swiftSettings: strict),
        .testTarget(
            name: "HoldfastCloudTests", dependencies: house + ["HoldfastCloud", "HoldfastHTTP", "TestOracles"],
            swiftSettings: strict),
        .testTarget(
            name: "HoldfastSimulationTests", dependencies: house + ["HoldfastSimulation"], swiftSettings: strict),
        .testTarget(
            name: "HoldfastServerTests",
            dependencies: house + ["HoldfastServer", "HoldfastHTTP", "TestOracles", logging],
            swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["holdfast"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// Benchmarks need simdjson and release builds; nobody else should have to install either.
if Context.environment["HOLDFAST_BENCHMARKS"] != nil {
    package.targets += [
        .target(
            name: "CSimdjson", path: "Benchmarks/CSimdjson", publicHeadersPath: "include",
            linkerSettings: [.linkedLibrary("simdjson")]),
        .executableTarget(
            name: "holdfast-bench",
            dependencies: house + ["CSimdjson", "JSONFuzzing", argumentParser], path: "Benchmarks/holdfast-bench",
            swiftSettings: strict),
    ]
    package.cxxLanguageStandard = .cxx17
}
