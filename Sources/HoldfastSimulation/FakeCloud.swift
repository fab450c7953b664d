internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON
internal import Synchronization

/// Accounts of AWS in which many hands keep changing things: the truth that the service must come to know. Each
/// change is a CloudTrail record as AWS writes it, and each read answers in the catalog's paths.
///
/// Times are the cloud's own; the service's clock may be wrong.
final class FakeCloud: Sendable {
    static let region = "eu-west-1"

    enum Account {
        static let dev = "111122223333"
        static let production = "444455556666"
        /// Nobody has classified it, so that it counts as production.
        static let unclassified = "777788889999"
        static let all = [dev, production, unclassified]
    }

    enum Kind {
        static let bucket = "AWS::S3::Bucket"
        static let group = "AWS::EC2::SecurityGroup"
        static let trail = "AWS::CloudTrail::Trail"
        static let all = [bucket, group, trail]
    }

    /// Whoever acts in the cloud.
    enum Hand: String, Sendable, CaseIterable {
        /// A person who is mapped and may approve.
        case ada
        /// Another.
        case ben
        /// Whom nobody is mapped to.
        case stranger
        /// What comes through code.
        case pipeline
        /// Does its drift again after each fix.
        case controller
        /// Terraform on a timer, with drift in its code.
        case terraform
        /// The service itself.
        case holdfast

        func arn(in account: String) -> String {
            switch self {
            case .ada, .ben, .stranger: "arn:aws:iam::\(account):user/\(rawValue)"
            case .pipeline: "arn:aws:sts::\(account):assumed-role/deploy/run"
            case .controller: "arn:aws:sts::\(account):assumed-role/controller/loop"
            case .terraform: "arn:aws:sts::\(account):assumed-role/terraform/nightly-apply"
            case .holdfast: "arn:aws:sts::\(account):assumed-role/holdfast-write/holdfast"
            }
        }

        var userAgent: String { self == .terraform ? "HashiCorp Terraform/1.9.8" : "aws-cli/2.0" }
    }

    /// One change with the record that tells of it.
    struct Change: Sendable {
        var eventID: String
        var time: Timestamp
        var record: [UInt8]
        var resource: ResourceID
    }

    private let state: Mutex<CloudState>
    private let clock: VirtualClock

    init(seed: UInt64, clock: VirtualClock, samples: [String: JSON]) {
        self.clock = clock
        state = Mutex(CloudState(random: SeededRandom(seed: seed), samples: samples))
    }

    /// Everything that was sent and is due has its effect first.
    func with<R>(_ body: (inout CloudState, Timestamp) -> R) -> R where R: Sendable {
        let now = clock.cloudTime()
        return state.withLock { state in
            state.catchUp(now)
            return body(&state, now)
        }
    }

    var truth: [ResourceID: JSON] { with { state, _ in state.truth } }

    /// Somebody does something.
    func act() -> Change? { with { state, now in state.act(at: now) } }

    /// Somebody changes just this resource.
    func meddle(_ resource: ResourceID) -> Change? { with { state, now in state.meddle(resource, at: now) } }

    /// Records of what was done by calls and not yet told.
    func takeTold() -> [Change] {
        with { state, _ in
            defer { state.told = [] }
            return state.told
        }
    }

    /// Everything that there can be, as a scan goes over it. Buckets are listed for the whole account.
    static let units = Account.all.flatMap { account in
        [(Kind.bucket, ""), (Kind.group, region), (Kind.trail, region)].map { type, region in
            ScanUnit(type: type, place: ResourceContext(cloud: .aws, account: account, region: region))
        }
    }

    static func name(of resource: ResourceID) -> String {
        resource.id.split(whereSeparator: { $0 == ":" || $0 == "/" }).last.map(String.init) ?? ""
    }
}
