import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// What recorded answers say of a path that rules read.
enum RecordedKnowledge: String, Comparable {
    /// No recorded answer is one of the call that reads it.
    case unread
    /// The call was recorded, and its answer has nothing there.
    case empty
    case filled

    static func < (a: RecordedKnowledge, b: RecordedKnowledge) -> Bool { a.rank < b.rank }
    private var rank: Int { self == .filled ? 2 : self == .empty ? 1 : 0 }
}

/// A resource in a session, and how a list showed it; null where none did.
struct RecordedResource {
    var resource: ResourceID
    var context: ResourceContext
    var element: JSON
}

/// All sessions of a cloud, replayed through the reads of the catalog.
struct Replay {
    let catalog = Shipped.catalog
    /// By type and path.
    var knowledge: [String: [PropertyPath: RecordedKnowledge]] = [:]
    var resources: [String: Set<ResourceID>] = [:]

    /// The paths that rules read of a type and that the type has, sorted.
    static func paths(of type: ResourceType) -> [PropertyPath] {
        let rules = Shipped.data.baseline.rules.filter { $0.types.contains(type.name) }
        return Set(rules.flatMap(\.reads.paths)).filter { type.has($0) }.sorted()
    }

    init(_ sessions: [RecordedSession]) {
        for name in catalog.typeNames {
            guard let type = catalog.type(name), type.cloud == sessions.first?.cloud else { continue }
            let paths = Replay.paths(of: type)
            guard !paths.isEmpty else { continue }
            knowledge[name] = Dictionary(paths.map { ($0, .unread) }, uniquingKeysWith: { a, _ in a })
            for session in sessions {
                for found in session.resources(of: type, catalog) { replay(found, of: type, in: session, paths) }
            }
        }
    }

    private mutating func replay(
        _ found: RecordedResource, of type: ResourceType, in session: RecordedSession, _ paths: [PropertyPath]
    ) {
        guard var run = ReadRun(found.resource, of: type, at: found.context) else { return }
        while case let requests = run.next(), !requests.isEmpty {
            for request in requests {
                let call = catalog.call(request.call)
                var answer = call.flatMap { session.answers(to: $0, request.parameters).first }
                // These clouds list resources as they show one.
                if answer == nil, request.call == type.read.first?.call, !found.element.isNull {
                    answer = found.element
                }
                run.take(
                    answer.map { .answer($0) }
                        ?? .failed(ReadFailure(code: "unread", message: "not recorded", isDenied: false)), for: request)
            }
        }
        guard !run.isGone, !run.result.isEmpty else { return }
        resources[type.name, default: []].insert(found.resource)
        for path in paths {
            let now = run.knowledge(of: path)
            if now > knowledge[type.name]?[path] ?? .unread { knowledge[type.name]?[path] = now }
        }
    }
}

extension ReadRun {
    fileprivate func knowledge(of path: PropertyPath) -> RecordedKnowledge {
        guard result.contains(where: { path.hasPrefix($0.path) || $0.path.hasPrefix(path) }) else { return .unread }
        return configuration.holds(path.steps[...]) ? .filled : .empty
    }
}

extension JSON {
    /// Something stands at the path, in some element where it leads into lists.
    fileprivate func holds(_ steps: ArraySlice<PropertyPath.Step>) -> Bool {
        guard let step = steps.first else { return !isNull }
        switch step {
        case .name(let name): return self[name]?.holds(steps.dropFirst()) ?? false
        case .index(let index): return array.map { index < $0.count && $0[index].holds(steps.dropFirst()) } ?? false
        case .each: return array?.contains { $0.holds(steps.dropFirst()) } ?? false
        }
    }
}

extension RecordedSession {
    /// The resources of a type that are listed here, or were asked for by their own.
    func resources(of type: ResourceType, _ catalog: Catalog) -> [RecordedResource] {
        var found: [RecordedResource] = []
        for account in accounts {
            let context = ResourceContext(cloud: cloud, account: account, region: "")
            if let single = type.single(in: context) {
                found.append(RecordedResource(resource: single, context: context, element: .null))
            }
            guard let list = type.list else { continue }
            let asked = list.asked(of: type, in: context)
            for answer in catalog.call(asked.call).map({ answers(to: $0, asked.parameters) }) ?? [] {
                found += list.resources(in: answer, of: type, at: context).found.map {
                    RecordedResource(resource: $0.resource, context: $0.context, element: $0.element)
                }
            }
        }
        // Which one it is does not matter: nothing else of it is asked for.
        found += assets.filter { $0.type == type.name }.map {
            RecordedResource(
                resource: ResourceID(type: type.name, id: type.example),
                context: ResourceContext(cloud: cloud, account: "", region: ""), element: $0.data)
        }
        for (request, bodies) in answers {
            let name =
                cloud == .azure ? request.dropFirst("GET ".count)[...].description : bodies[0]["selfLink"]?.string
            let context = ResourceContext(cloud: cloud, account: "", region: "")
            guard let name, name.contains("/"),
                let resource = catalog.resource(type: type.name, named: name, in: context),
                !found.contains(where: { $0.resource == resource })
            else { continue }
            found.append(RecordedResource(resource: resource, context: context, element: .null))
        }
        return found
    }

    /// Subscriptions and projects that requests name.
    private var accounts: [String] {
        let form =
            cloud == .azure
            ? /\/subscriptions\/([^\/]+)/ : /-projects-([a-z0-9-]+?)(?:-global-.*|-instances.*|-[gs]etIamPolicy|$)/
        return Set(answers.keys.compactMap { $0.firstMatch(of: form).map { String($0.output.1) } })
            .union(cloud == .azure ? [] : ["cloud-custodian"]).sorted()
    }
}

/// `Tests/recorded-answers/CLOUD.tsv`: the paths that recorded answers leave empty, with the reason.
struct UnfilledPaths {
    struct Row: Hashable, CustomStringConvertible {
        var type: String
        var path: String
        var knowledge: String
        var description: String { "\(type)\t\(path)\t\(knowledge)" }
    }
    var reasons: [Row: String] = [:]

    init(_ cloud: Cloud) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "recorded-answers/\(cloud.rawValue).tsv")
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 4 else { throw CocoaError(.fileReadCorruptFile) }
            reasons[Row(type: cells[0], path: cells[1], knowledge: cells[2])] = cells[3]
        }
    }
}

@Suite("Recorded answers", .enabled(if: RecordedSession.folder != nil, "HOLDFAST_TEST_DATA names no folder"))
struct RecordedAnswersTests {
    static let replays: [Cloud: Replay] = {
        let azure = (try? RecordedSession.azure()).map(Replay.init)
        let google = (try? RecordedSession.google() + [RecordedSession.googleAssets()]).map(Replay.init)
        return [Cloud.azure: azure, .gcp: google].compactMapValues { $0 }
    }()

    @Test(
        "What recorded answers leave empty of what rules read is listed with a reason", arguments: [Cloud.azure, .gcp])
    func listsWhatIsUnfilled(cloud: Cloud) throws {
        let replay = try #require(RecordedAnswersTests.replays[cloud])
        let listed = try UnfilledPaths(cloud)
        let found = replay.knowledge.flatMap { type, paths in
            paths.filter { $0.value != .filled }.map {
                UnfilledPaths.Row(type: type, path: $0.key.description, knowledge: $0.value.rawValue)
            }
        }
        let unlisted = Set(found).subtracting(listed.reasons.keys).map(\.description).sorted()
        let untrue = Set(listed.reasons.keys).subtracting(found).map(\.description).sorted()
        #expect(unlisted.isEmpty, "not in the table:\n\(unlisted.joined(separator: "\n"))")
        #expect(untrue.isEmpty, "in the table, and not so:\n\(untrue.joined(separator: "\n"))")
        #expect(listed.reasons.values.allSatisfy { !$0.isEmpty })
    }

    @Test("Over the three clouds recorded answers fill at least nine tenths of the paths that rules read")
    func fillsNineTenths() throws {
        #expect(Set(RecordedAnswersTests.replays.keys) == [.azure, .gcp])
        let all = RecordedAnswersTests.replays.values.flatMap { $0.knowledge.values.flatMap(\.values) }
        #expect(all.filter { $0 != .unread }.count * 10 >= all.count * 9)
        let ofAWS = try ReadCatalog.baseline.get().pathsRead(of: .aws, in: ReadCatalog.catalog.get()).count
        let filled = all.count { $0 == .filled } + ofAWS - RecordedReadsTests.notRecorded.count
        print("\(filled) of \(all.count + ofAWS) paths that rules read of the three clouds are filled")
        for (cloud, replay) in RecordedAnswersTests.replays.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let paths = replay.knowledge.values.flatMap(\.values)
            print("\(cloud.rawValue): \(paths.count { $0 == .filled }) of \(paths.count) filled")
        }
        #expect(filled * 10 >= (all.count + ofAWS) * 9)
    }

    @Test("Of every type that rules read resources were recorded", arguments: [Cloud.azure, .gcp])
    func findsResources(cloud: Cloud) throws {
        let replay = try #require(RecordedAnswersTests.replays[cloud])
        #expect(replay.knowledge.count == (cloud == .gcp ? 5 : 4))
        for type in replay.knowledge.keys.sorted() {
            #expect(!(replay.resources[type] ?? []).isEmpty, "no resource of \(type)")
        }
    }
}
