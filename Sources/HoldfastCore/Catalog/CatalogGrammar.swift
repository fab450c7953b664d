/// The grammar of catalog files.
extension Catalog {
    /// What a file under `catalog/<cloud>/` may hold.
    package static let schemaShape: Shape = .record(
        .init("models", .map(keys: "a published model", modelShape), "how the models' operations are logged"),
        .init("types", .map(keys: "the cloud's name of a type", typeShape), "the types of resources of this service"),
        .init(
            "events", .map(keys: "an operation as the cloud logs it", eventShape), "what operations mean"),
        .init(
            "calls", .map(keys: "service.Operation", callShape), "how resources are read and written"),
        .init(
            "discovery", .map(keys: "a kind of organisation", discoveryShape),
            "how the accounts of a whole organisation are found"),
        .init(
            "not-ours", .list(notOursShape),
            "operations of this service that change nothing that is watched, and so are not missing"))

    private static let modelShape: Shape = .record(
        .init("logs", .oneOrMany(.text), "what is logged, with * for the operation's name; without it only names"),
        .init("without", .text, "what the operations' names begin with, which * leaves out"),
        .init(
            "names", .map(keys: "an operation", .oneOrMany(.text)),
            "what it is logged as, where not by its name; all of it where it has a /"),
        .init("beside", .list(.text), "what is logged and is no operation of the model"))

    private static let typeShape: Shape = .record(
        .init("id", .text, required: true, "the one canonical id, with variables: arn:{partition}:s3:::{BucketName}"),
        .init("aliases", .list(.text), "other forms of the same id; {+Path} may hold separators"),
        .init(
            "known-by", .map(keys: "a kind of name", .text), "other names that events use, and the path that holds them"
        ),
        .init("name-prefix", .text, "how ids of this type begin, where they tell their type: i-"),
        .init("example", .text, required: true, "an id of this form"),
        .init(
            "scope", .word(ResourceType.Scope.allCases.map(\.rawValue)), required: true, "where its names are unique"),
        .init("properties", .word(["cloudformation", "arm", "google"]), required: true, "whose names the paths are"),
        .init("paths", .list(.text), required: true, "every property path; A.{B,C} is two, A.* is free below"),
        .init("ours", .list(.text), "paths that have no name there and get one here"),
        .init("secret", .list(.text), "paths that are never kept"),
        .init("unordered", .map(keys: "a list's path", .list(.text)), "the names in an element that are its key"),
        .init(
            "relations", .map(keys: "a name", relationShape),
            "other types' resources that this one names, or is named by"),
        .init("read", .oneOrMany(readShape), "the calls that read one, first to last"),
        .init("unread", .map(keys: "a path", .text), "what no call reads, and why not"),
        .init("list", listShape, "the call that lists all of an account and region"),
        .init("consistency", .duration, "how long after a write a read may still be stale; 5s where not given"),
        .init("samples", .map(keys: "a name, unique in the catalog", .anything), "known states for tests"))

    private static let readShape: Shape = .record(
        .init("call", .text, required: true, "the call"),
        .init("each", .text, "a list that was read before: one call for each element, which fills the element"),
        .init("with", .map(keys: "a parameter", .anything), "its source: variables of the id, or what was read before"),
        .init("at", .text, "where in the answer the resource stands; if nothing is there, it is gone"),
        .init(
            "fills", .either([.list(.text), .map(keys: "a path", .anything)]), required: true,
            "what the answer says: paths and their sources, null where it has none; or names to take as they are"),
        .init("absent", .oneOrMany(.text), "error codes that mean that these properties are absent"),
        .init("gone", .oneOrMany(.text), "error codes that mean that there is no such resource"),
        .init("gone-when", conditionsShape, "what the answer says of a resource that is gone but for its name"),
        .init("when", conditionsShape, "only where all of this holds of what was read before"),
        .init(
            "tests",
            .list(
                .record(
                    .init("given", .anything, required: true, "an answer; or error: and a code"),
                    .init("after", .anything, "what was read before"),
                    .init("asks", .anything, "the parameters of the first call"),
                    .init(
                        "fills", .either([.word(["gone"]), .map(keys: "a path", .anything)]), required: true,
                        "what it fills"))), "answers and what they fill"))

    private static let listShape: Shape = .record(
        .init("call", .text, required: true, "the call"),
        .init("with", .map(keys: "a parameter", .anything), "its source"),
        .init("each", .text, required: true, "where in the answer the resources stand"),
        .init("name", .anything, required: true, "the source of the id or of its last variable, or a map of variables"),
        .init("region", .anything, "the source of the region, where it is not the one that was asked"),
        .init("absent", .oneOrMany(.text), "error codes that mean that there are none"),
        .init("when", conditionsShape, "only elements of which all of this holds"),
        .init(
            "tests",
            .list(
                .record(
                    .init("given", .anything, required: true, "an answer"),
                    .init("lists", .list(.text), required: true, "the ids in it"))), "answers and what they list"))

    private static let relationShape: Shape = .record(
        .init("to", .text, "the type that this one names"),
        .init("from", .text, "the type that names this one"),
        .init("by", .text, required: true, "the path, in the type that names, of the other's id or name"))

    private static let effectFields: [Shape.Field] = [
        .init("changes", .oneOrMany(.text), "the type of the resource that changes"),
        .init("creates", .oneOrMany(.text), "the type of the resource that comes into being"),
        .init("deletes", .oneOrMany(.text), "the type of the resource that is gone"),
        .init("relates", .oneOrMany(.text), "the type of a resource that is only named"),
        .init("each", .text, "a list in the event with one resource in each element; paths then start at the element"),
        .init("name", .anything, "the source of the id or of its last variable, or a map from variables to sources"),
        .init(
            "match", .map(keys: "an event path", .text), "the form of a text in the event whose variables name things"),
        .init("alias", .map(keys: "a kind of name", .anything), "the source of another name, where there is no id"),
        .init("account", .anything, "the source of the account, where it is not the event's"),
        .init("region", .anything, "the source of the region, where it is not the event's"),
        .init("when", conditionsShape, "only where all of this holds of the event"),
        .init("carries", .oneOrMany(carriedShape), "what the event says of the resource"),
    ]

    private static let eventShape: Shape = .record(
        Shape.Record(
            effectFields + [
                .init("effects", .list(.record(Shape.Record(effectFields))), "several effects in place of one"),
                .init("also", .list(.text), "other operations that mean the same"),
                .init("tests", .list(testShape), "events and the resources that they affect"),
            ]))

    static let conditionsShape: Shape = .map(
        keys: "an event path",
        .either([
            .text, .list(.text),
            .record(
                .init("not", .oneOrMany(.text), "what it is not"),
                .init("starts-with", .oneOrMany(.text), "how its text begins"),
                .init("contains", .oneOrMany(.text), "what is in its text")),
        ]))

    private static let carriedShape: Shape = .record(
        .init("set", .map(keys: "a path", .anything), "replaced by the operation: path to source"),
        .init("patch", .map(keys: "a path", .anything), "changed where the event gives it: path to source"),
        .init("copy", .list(.text), "top-level properties of the same name, changed where given"),
        .init("from", .text, "with copy: where in the event they stand"),
        .init("put", .text, "the list that gets an element"),
        .init("remove", .text, "the list that loses an element"),
        .init("each", .text, "with put and remove: one for each element of this"),
        .init("key", .anything, "with put and remove: the source of the element's key"),
        .init("value", .anything, "with put: the source of the element"),
        .init("touched", .oneOrMany(.text), "paths that changed to what the event does not say"),
        .init("when", conditionsShape, "only where all of this holds of the event"))

    private static let testShape: Shape = .record(
        .init("given", .anything, required: true, "the parts of the event that matter"),
        .init("affects", .list(.text), required: true, "the ids of all resources named"),
        .init(
            "carries",
            .record(
                .init("set", .map(keys: "a path", .anything), "values"),
                .init("put", .map(keys: "a list", .map(keys: "a key", .anything)), "elements by key"),
                .init("remove", .map(keys: "a list", .list(.text)), "keys"),
                .init("touched", .list(.text), "paths")), "what the event must say of them"),
        .init("account", .text, "the account of the event; 111122223333 where not given"),
        .init("region", .text, "the region of the event; eu-west-1 where not given"))

    private static let callShape: Shape = .record(
        .init("protocol", .word(CloudCall.WireProtocol.allCases.map(\.rawValue)), required: true, "how it travels"),
        .init("request", .text, "method and path, where the protocol needs them"),
        .init("permission", .text, required: true, "what the caller must be allowed"),
        .init("parameters", .list(.text), "what it takes, beside what stands in braces in the request"),
        .init("reads", .oneOrMany(.text), "the paths that it fills; . is all"),
        .init("writes", .oneOrMany(.text), "the paths that it replaces"),
        .init("idempotent", .bool, "may be sent again after an unknown outcome"),
        .init("inverse-when-absent", .text, "the call that undoes it where the section was absent before"),
        .init("read-only", .list(.text), "paths that a read gives and a write must not send"),
        .init("already-done", .list(.text), "error codes that mean that it is so already"),
        .init("not-applied", .list(.text), "error codes that mean that nothing happened"),
        .init(
            "precondition",
            .record(
                .init("etag", .text, "the place of an etag among the parameters"),
                .init("fingerprint", .text, "the place of a fingerprint"),
                .init("version", .text, "the place of a version's number or name"),
                .init("if-match", .text, "ifMatch: it travels in the header If-Match")),
            "how a precondition travels: one of these"),
        .init("token", .text, "the parameter by which the cloud knows the call again when it is sent twice"),
        .init("on", .oneOrMany(.text), "what it is allowed on: ARNs with parameters in braces; without it, everything"),
        .init("also-needs", .list(.text), "what else the caller must be allowed"),
        .init("restore", restoreShape, "how what a read gave is written back with it"),
        .init(
            "elements", .map(keys: "a list's path", .anything),
            "an element of the list in the shape that the call takes"),
        .init(
            "wait",
            .record(
                .init("until", .map(keys: "a path", .text), required: true, "what a read then says"),
                .init("at-most", .duration, required: true, "the limit")), "how a long operation ends"))

    private static let restoreShape: Shape = .record(
        .init("from", .text, required: true, "the call whose answer was kept"),
        .init("at", .text, "where in the answer the section stands"),
        .init("with", .map(keys: "a parameter", .anything), "its source; those of the same name need none"),
        .init("only", .word(["sent"]), "of each parameter, what the call that is taken back had sent"))

    private static let notOursShape: Shape = .record(
        .init("operations", .list(.text), required: true, "names; one that ends in * is all that begin so"),
        .init("because", .text, required: true, "why they do not matter"))
}
