package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// Reads the state of resources from the clouds, by the calls that the catalog names for their types.
package struct CloudReader<C: HoldfastClock>: StateLister {
    private let catalog: Catalog
    private let caller: CloudCaller<C>

    package init(catalog: Catalog, caller: CloudCaller<C>) {
        self.catalog = catalog
        self.caller = caller
    }

    package func describe(
        _ resource: ResourceID, context: ResourceContext
    ) async throws(ReadError) -> Description {
        if resource.isAlias { return try await identify(resource, context: context) }
        guard let type = catalog.type(resource.type), let run = ReadRun(resource, of: type, at: context) else {
            throw ReadError(
                code: "not-readable",
                message: "\(resource) cannot be read: the catalog names no calls that read it, or this is no id of it",
                retry: .never)
        }
        return try await read(run, of: resource, at: context)
    }

    package func list(_ name: String, at place: ResourceContext) async throws(ReadError) -> [ListedResource] {
        guard let type = catalog.type(name) else { return [] }
        guard let step = type.list else {
            let single = type.single(in: place)
            return single.map { [ListedResource(resource: $0, context: place, element: .null)] } ?? []
        }
        do {
            return try await caller.list(step, of: type, at: place)
        } catch {
            throw error.readError
        }
    }

    /// Reads on from what a list already said.
    package func describe(_ listed: ListedResource) async throws(ReadError) -> Description {
        guard let type = catalog.type(listed.resource.type),
            var run = ReadRun(listed.resource, of: type, at: listed.context)
        else {
            return Description(result: .sections([]), started: caller.clock.wallTime(), id: "listed")
        }
        run.serve(listed.element)
        return try await read(run, of: listed.resource, at: listed.context)
    }

    /// Tries what reading a type needs in a place: the first page of its list, and all reads of the first resource
    /// that is on it.
    ///
    /// - Returns: whether a resource was there to be read, and what failed.
    package func attempt(_ name: String, at place: ResourceContext) async -> (hasRead: Bool, failures: [ReadError]) {
        guard let type = catalog.type(name) else { return (false, []) }
        let listed: [ListedResource]
        do throws(ReadFailure) {
            let single = type.single(in: place).map { ListedResource(resource: $0, context: place, element: .null) }
            listed =
                if let step = type.list {
                    try await caller.list(step, of: type, at: place, onlyFirstPage: true)
                } else {
                    single.map { [$0] } ?? []
                }
        } catch {
            return (false, [error.readError])
        }
        guard let first = listed.first else { return (false, []) }
        do throws(ReadError) {
            return (true, try await describe(first).unread.map(\.error))
        } catch {
            return (true, [error])
        }
    }

    private func read(
        _ reading: ReadRun, of resource: ResourceID, at context: ResourceContext
    ) async throws(ReadError) -> Description {
        var run = reading
        var started: Timestamp?
        while case let requests = run.next(), !requests.isEmpty {
            for (request, outcome) in await caller.all(requests, at: context) {
                if case .answer(_, let began) = outcome { started = min(started ?? began, began) }
                run.take(outcome.forRun, for: request)
            }
        }
        if run.result.isEmpty, !run.isGone, let first = run.failures.first { throw first.readError }
        let began = started ?? caller.clock.wallTime()
        var description = Description(
            result: run.isGone ? .gone : .sections(run.result), started: began,
            id: "read:\(resource.id)@\(began.nanoseconds)",
            unread: run.failures.map { Description.Unread(paths: $0.paths, error: $0.readError) })
        description.answers = run.answers
        return description
    }

    /// The resource that an alias stands for: the one of all in its account and region that is known by that name.
    private func identify(_ alias: ResourceID, context: ResourceContext) async throws(ReadError) -> Description {
        guard let type = catalog.type(alias.type), let list = type.list else {
            throw ReadError(code: "not-readable", message: "\(alias) cannot be looked up", retry: .never)
        }
        let began = caller.clock.wallTime()
        let found: [ListedResource]
        do {
            found = try await caller.list(list, of: type, at: context)
        } catch {
            throw error.readError
        }
        for listed in found {
            guard var run = ReadRun(listed.resource, of: type, at: listed.context) else { continue }
            run.serve(listed.element)
            let names = catalog.aliases(of: listed.resource, context: context, configuration: run.configuration)
            guard names.contains(alias) else { continue }
            return Description(
                result: .identified(listed.resource, listed.context), started: began, id: "list:\(began.nanoseconds)")
        }
        return Description(result: .gone, started: began, id: "list:\(began.nanoseconds)")
    }
}

extension ReadFailure {
    /// A denied read is tried again now and then: somebody may have given the permission.
    var readError: ReadError {
        if isDenied {
            return ReadError(code: "denied", message: message, retry: .after(Limits.longestBackoff), lacks: code)
        }
        return ReadError(code: code, message: message, retry: .after(retryAfter ?? Span(seconds: 2)))
    }
}
