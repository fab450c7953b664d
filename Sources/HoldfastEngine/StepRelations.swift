internal import HoldfastCore

extension Step {
    struct Dependent {
        var resource: ResourceID
        var context: ResourceContext
        var rules: [String]
    }

    /// Resources with a rule that reads the changed one along a relation: by what pointed to it or by what it pointed
    /// to, before the step and now.
    func dependents(of subject: Subject) throws(JournalError) -> [Dependent] {
        var found: [Dependent] = []
        for edge in policy.dependents(on: subject.resource.type, touching: subject.touched) {
            var targets: [Subject] = []
            if edge.relation.isReverse {
                for id in referred(by: subject, along: edge.relation.by) {
                    if let target = try known(ResourceID(type: edge.type, id: id)) { targets.append(target) }
                }
            } else {
                targets = try holders(
                    type: edge.type, path: edge.relation.by.description, value: subject.resource.id)
            }
            found += targets.map { Dependent(resource: $0.resource, context: $0.context, rules: edge.rules) }
        }
        return found
    }

    /// The resources at the other end of a relation of a subject.
    func related(_ read: RelatedRead, of subject: Subject) throws(JournalError) -> RelatedResources {
        if read.isReverse {
            let members = try holders(type: read.type, path: read.by.description, value: subject.resource.id)
            return RelatedResources(
                members.map { .init(id: $0.resource, document: $0.view.document) },
                openBecause: try isListed(read.type, at: subject.context) ? nil : "not every \(read.type) was listed")
        }
        var related = RelatedResources()
        for reference in references(of: subject) where reference.path == read.by.description {
            let id = ResourceID(type: read.type, id: reference.value)
            if let target = try known(id) {
                related.members.append(.init(id: id, document: target.view.document))
            } else {
                related.openBecause = "\(id) was never read"
            }
        }
        if let reason = subject.view.document[read.by.withoutEach].unknownReason { related.openBecause = reason }
        return related
    }

    /// A scan once listed all of a type where a resource is, and what came or went since was told by events. Lists of
    /// whole accounts name no region.
    private func isListed(_ type: String, at place: ResourceContext) throws(JournalError) -> Bool {
        for region in [place.region, ""] {
            var place = place
            place.region = region
            let unit = ScanUnit(type: type, place: place).description
            if try journal.position(source: ScanUnit.source, partition: unit) != nil { return true }
        }
        return false
    }

    /// Resources of a type whose path holds an id, as the journal has them and as this step changes them.
    func holders(type: String, path: String, value: String) throws(JournalError) -> [Subject] {
        let reference = StoredResource.Reference(path: path, value: value)
        var found: [Subject] = []
        var last: ResourceID?
        repeat {
            let page = try journal.resources(
                type: type, path: reference.path, value: reference.value, after: last, limit: 200)
            for row in page where subjects[row.resource] == nil {
                found.append(try makeSubject(row.resource, context: row.context, stored: row))
            }
            last = page.count == 200 ? page.last?.resource : nil
        } while last != nil
        found += subjects.values.filter { $0.resource.type == type && references(of: $0).contains(reference) }
        return found.filter { !$0.view.isDeleted }.sorted { $0.resource < $1.resource }
    }

    /// The ids that a subject's path holds, before the step and now.
    private func referred(by subject: Subject, along path: PropertyPath) -> [String] {
        let all =
            references(of: subject)
            + policy.references(
                of: subject.resource, context: subject.context, document: subject.earlier.document)
        return Set(all.filter { $0.path == path.description }.map(\.value)).sorted()
    }

    func references(of subject: Subject) -> [StoredResource.Reference] {
        policy.references(of: subject.resource, context: subject.context, document: subject.view.document)
    }

    /// A resource that is there: of this step, or of the journal.
    func known(_ id: ResourceID) throws(JournalError) -> Subject? {
        if let subject = subjects[id] { return subject.view.isDeleted ? nil : subject }
        guard let stored = try journal.resource(id), !stored.isDeleted else { return nil }
        return try makeSubject(id, context: stored.context, stored: stored)
    }
}

extension PropertyPath {
    /// The path up to its first list.
    fileprivate var withoutEach: PropertyPath { PropertyPath(Array(steps.prefix { $0 != .each })) }
}
