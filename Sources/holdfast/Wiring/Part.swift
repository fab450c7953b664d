import ServiceLifecycle

/// One of the parts that run together. It is known by its name: logs that print it must not walk through all that it
/// holds, which is everything the service knows.
protocol Part: ServiceLifecycle.Service, CustomStringConvertible {}

extension Part {
    var description: String { "\(Self.self)" }
}
