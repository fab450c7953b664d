import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastJSON
import Testing

/// The shipped catalog and baseline, for tests of how resources are read.
enum ReadCatalog {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let data = ProcessInfo.processInfo.environment["HOLDFAST_TEST_DATA"].map { URL(filePath: $0) }

    static let catalog: Result<Catalog, any Error> = Result {
        let files = try paths("catalog").map { (name: String($0.dropLast(5)), node: try node("catalog/\($0)")) }
        let (catalog, problems) = Catalog.load(files, operations: nil)
        try #require(problems.isEmpty, "\(problems.map(\.description))")
        return catalog
    }

    static let baseline: Result<Baseline, any Error> = Result {
        let files = try paths("baseline").map { path in
            let place = try #require(BaselineFile.place(ofPath: path))
            return BaselineFile(kind: place.kind, name: place.name, node: try node("baseline/\(path)"))
        }
        return Baseline.load(files, catalog: try catalog.get(), now: RuleTest.defaultNow).baseline
    }

    static func types(of cloud: Cloud) throws -> [ResourceType] {
        let catalog = try catalog.get()
        return catalog.typeNames.compactMap { catalog.type($0) }.filter { $0.cloud == cloud }
    }

    private static func paths(_ folder: String) -> [String] {
        let path = top.appending(path: folder).resolvingSymlinksInPath().path
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".yaml") }.sorted()
    }

    private static func node(_ path: String) throws -> Node {
        try YAMLReader.read(String(contentsOf: top.appending(path: path), encoding: .utf8), file: path)
    }
}

/// A property of a type.
struct TypePath: Hashable, Comparable, CustomStringConvertible {
    var type: String
    var path: PropertyPath
    var description: String { "\(type) \(path)" }
    static func < (a: TypePath, b: TypePath) -> Bool { a.description < b.description }
}

extension Baseline {
    /// What the rules read, of resources themselves, of their labels and of what is related to them.
    func pathsRead(of cloud: Cloud, in catalog: Catalog) -> [TypePath] {
        var found: Set<TypePath> = []
        func add(_ path: PropertyPath, of name: String) {
            guard let type = catalog.type(name), type.cloud == cloud, type.has(path) else { return }
            found.insert(TypePath(type: name, path: path.withoutIndexes))
        }
        for rule in rules {
            for name in rule.types {
                for path in rule.reads.paths { add(path, of: name) }
                if rule.reads.readsLabels, let path = catalog.type(name).flatMap(Labels.path) { add(path, of: name) }
            }
            for relation in rule.reads.relations {
                for path in relation.paths { add(path, of: relation.read.type) }
                if relation.read.isReverse { add(relation.read.by, of: relation.read.type) }
            }
        }
        return found.sorted()
    }
}

extension PropertyPath {
    /// `A[0].B` -> `A[].B`
    var withoutIndexes: PropertyPath { PropertyPath(steps.map { if case .index = $0 { .each } else { $0 } }) }
}

extension JSON {
    /// What is there at a path, at any element of its lists; null is not there.
    func values(at steps: ArraySlice<PropertyPath.Step>) -> [JSON] {
        guard let step = steps.first else { return isNull ? [] : [self] }
        let rest = steps.dropFirst()
        switch step {
        case .name(let name): return self[name]?.values(at: rest) ?? []
        case .each: return (array ?? []).flatMap { $0.values(at: rest) }
        case .index(let index): return (array ?? []).dropFirst(index).prefix(1).flatMap { $0.values(at: rest) }
        }
    }

    func has(_ path: PropertyPath) -> Bool { !values(at: path.steps[...]).isEmpty }
}

extension ReadRun {
    /// Reads to the end with answers from elsewhere.
    mutating func finish(_ answer: (CallRequest) throws -> Outcome) rethrows {
        while true {
            let requests = next()
            if requests.isEmpty { return }
            for request in requests { take(try answer(request), for: request) }
        }
    }
}
