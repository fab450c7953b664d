import HoldfastCloud
import HoldfastCore
import HoldfastHTTP

/// Keepers in memory, and what is asked of them.
protocol KeeperTesting {
    var clock: WallClock { get }
}

extension KeeperTesting {
    static var environment: [String: String] {
        [
            "AWS_ACCESS_KEY_ID": "AKIABASE", "AWS_SECRET_ACCESS_KEY": "base-secret", "AWS_REGION": "eu-west-1",
        ]
    }
    static var account: AccountAccess {
        AccountAccess(
            cloud: .aws, account: "012345670123", readRole: "arn:aws:iam::012345670123:role/reader",
            writeRole: "arn:aws:iam::012345670123:role/writer", externalID: "ext-7")
    }
    static var request: HTTPRequest {
        HTTPRequest(method: "POST", url: "https://ec2.eu-west-1.amazonaws.com/", body: [1])
    }
    static var reading: CallScope { CallScope(cloud: .aws, account: "012345670123", region: "eu-west-1") }
    static var writing: CallScope {
        CallScope(cloud: .aws, account: "012345670123", region: "eu-west-1", access: .write)
    }

    func keeper(
        _ exchange: any HTTPExchange, accounts: [AccountAccess]? = nil, mayWrite: Bool = false,
        environment: [String: String]? = nil, jitter: Int = 0, targets: TokenTargets? = nil
    ) -> CredentialKeeper {
        CredentialKeeper(
            accounts: accounts ?? [Self.account], mayWrite: mayWrite,
            surroundings: surroundings(environment ?? Self.environment), exchange: exchange, targets: targets,
            jitter: Span(seconds: jitter), now: clock.read())
    }

    /// The key that a request was signed with.
    func key(of request: HTTPRequest) -> String {
        let header = request.headers["Authorization"] ?? ""
        return String(header.split(separator: "Credential=").last?.prefix { $0 != "/" } ?? "")
    }

    func key(_ keeper: CredentialKeeper, _ scope: CallScope? = nil) async throws(CallFailure) -> String {
        key(of: try await keeper.authorize(Self.request, signingName: "ec2", in: scope ?? Self.reading))
    }
}

/// Holds those who wait until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
    func open() {
        isOpen = true
        for one in waiting { one.resume() }
        waiting = []
    }
}
