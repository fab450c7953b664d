package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastHTTP

/// Keeps the credentials of all accounts, renews them before they end, and signs requests with them. One request for
/// credentials serves all calls that wait for it.
package actor CredentialKeeper: RequestAuthority {
    /// Credentials are renewed this long before they end.
    static let renewal = Span(seconds: 300)
    /// After a renewal that failed, or gave what ends soon, this long passes before the next is tried.
    static let pause = Span(seconds: 30)
    /// Keys that don't end are read again this often: files change.
    static let rereading = Span(seconds: 900)

    /// A session for one call lasts as long as AWS lets one last at least.
    static let narrowSeconds = 900

    /// AWS's codes for keys that ended, or that were changed for others.
    static let ended: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "TokenRefreshRequired",
        "UnrecognizedClientException",
    ]

    private struct Kept {
        var granted: Granted
        var obtained: Timestamp
        var renewAt: Timestamp
    }
    private typealias Outcome = Result<Granted, CredentialFailure>

    private let aws: AWSCredentialChain
    private let azure: AzureCredentials
    private let google: GoogleCredentials
    private let targets: TokenTargets
    private let mayWrite: Bool
    private let jitter: Span
    private let now: @Sendable () -> Timestamp

    private var accounts: [AccountKey: AccountAccess] = [:]
    private var kept: [Grant: Kept] = [:]
    /// Grants that are being asked for, with those who wait.
    private var asking: [Grant: [AsyncStream<Outcome>.Continuation]] = [:]
    /// Refusals, and until when they stand: a thousand calls to an account that refuses us ask once.
    private var refused: [Grant: (failure: CredentialFailure, until: Timestamp)] = [:]
    private var clocks = ClockOffsets()

    private struct AccountKey: Hashable {
        var cloud: Cloud
        var account: String
    }

    /// - Parameters:
    ///   - mayWrite: whether anything in this process may write at all. Without it no write role is ever taken on.
    ///   - jitter: added to the five minutes before the end at which credentials are renewed, so that many processes
    ///     don't renew at once.
    ///   - now: the time on the wall.
    package init(
        accounts: [AccountAccess], mayWrite: Bool, surroundings: Surroundings, exchange: any HTTPExchange,
        targets: TokenTargets? = nil, jitter: Span = Span(seconds: 0), now: @escaping @Sendable () -> Timestamp
    ) {
        aws = AWSCredentialChain(surroundings: surroundings, exchange: exchange, now: now)
        azure = AzureCredentials(surroundings: surroundings, exchange: exchange, now: now)
        google = GoogleCredentials(surroundings: surroundings, exchange: exchange, now: now)
        let authority = (try? azure.authority()).flatMap { AbsoluteURL($0) }?.authority
        self.targets = targets ?? .usual(authority: authority ?? "")
        self.mayWrite = mayWrite
        self.jitter = jitter
        self.now = now
        for access in accounts {
            self.accounts[AccountKey(cloud: access.cloud, account: access.account)] = access
        }
    }

    /// Adds an account, or changes how it is reached.
    package func enrol(_ access: AccountAccess) {
        accounts[AccountKey(cloud: access.cloud, account: access.account)] = access
    }

    // MARK: Authorizing

    package func authorize(
        _ request: HTTPRequest, signingName: String, in scope: CallScope
    ) async throws(CallFailure) -> HTTPRequest {
        do {
            return try await authorized(request, signingName, scope)
        } catch {
            throw error.callFailure
        }
    }

    private func authorized(
        _ request: HTTPRequest, _ signingName: String, _ scope: CallScope
    ) async throws(CredentialFailure) -> HTTPRequest {
        guard let url = AbsoluteURL(request.url) else {
            throw .misconfigured("a call of \(scope.cloud.rawValue) has no absolute URL")
        }
        let grant = try grant(for: scope, at: url)
        let granted = try await granted(grant)
        switch granted {
        case .aws(let credentials):
            if grant == .awsOwn { try check(credentials, belongTo: scope.account) }
            let region = scope.region.isEmpty ? awsGlobalRegion(try aws.region() ?? "") : scope.region
            let signer = AWSSigner(keys: credentials.keys, region: region, service: signingName)
            return signer.sign(
                request, at: now().nanoseconds / 1_000_000_000 + clocks.offset(for: url.authority))
        case .bearer(let token):
            var signed = request
            signed.headers["Authorization"] = "Bearer \(token.value.revealed)"
            if !token.quotaProject.isEmpty { signed.headers["x-goog-user-project"] = token.quotaProject }
            return signed
        }
    }

    /// Gets what a call in this scope would be signed with, and makes no call: to see whether it is there.
    package func obtain(for scope: CallScope) async throws(CallFailure) {
        let host: String
        switch scope.cloud {
        case .aws: host = "sts.amazonaws.com"
        case .azure:
            host = targets.azure.keys.sorted().first { targets.azure[$0]?.contains("//management.") == true } ?? ""
        case .gcp: host = "cloudresourcemanager.googleapis.com"
        }
        guard let url = AbsoluteURL("https://\(host)/") else { return }
        do {
            let grant = try grant(for: scope, at: url)
            let granted = try await granted(grant)
            if case .aws(let credentials) = granted, grant == .awsOwn {
                try check(credentials, belongTo: scope.account)
            }
        } catch {
            throw error.callFailure
        }
    }

    /// What a call needs, decided without asking anyone.
    private func grant(for scope: CallScope, at url: AbsoluteURL) throws(CredentialFailure) -> Grant {
        let access = accounts[AccountKey(cloud: scope.cloud, account: scope.account)]
        if let problem = access?.problems.first { throw .misconfigured(problem) }
        let role = try role(for: scope, access)
        switch scope.cloud {
        case .aws:
            guard let role else { return scope.account.isEmpty ? .awsBase : .awsOwn }
            let name = "\(AssumedRole.sessionName)-\(scope.access.rawValue)"
            var assumed = AssumedRole(arn: role, externalID: access?.externalID, sessionName: name)
            if !scope.sessionPolicy.isEmpty {
                assumed.policy = scope.sessionPolicy
                assumed.seconds = Self.narrowSeconds
            }
            return .awsRole(assumed)
        case .azure:
            guard let resource = targets.azure[url.authority] else { throw foreign(url, .azure) }
            try refusePlain(url)
            return .azure(resource: resource, tenant: access?.tenant, client: role)
        case .gcp:
            guard targets.isGoogle(url.authority) else { throw foreign(url, .gcp) }
            try refusePlain(url)
            return .google(actingAs: role)
        }
    }

    private func role(for scope: CallScope, _ access: AccountAccess?) throws(CredentialFailure) -> String? {
        guard scope.access == .write else { return access?.readRole }
        let account = "the \(scope.cloud.rawValue) account \(scope.account)"
        guard mayWrite else {
            throw CredentialFailure(
                .denied, code: "writing-not-allowed",
                "nothing may be written in \(account): this process was started without the right to write, so no"
                    + " write-role is taken on")
        }
        guard let role = access?.writeRole else {
            throw CredentialFailure(
                .denied, code: "no-write-role", "nothing may be written in \(account): it has no write-role")
        }
        return role
    }

    private func foreign(_ url: AbsoluteURL, _ cloud: Cloud) -> CredentialFailure {
        CredentialFailure(
            .denied, code: "foreign-host",
            "no \(cloud.rawValue) token is sent to \(url.authority), which is not one of that cloud's hosts")
    }

    private func refusePlain(_ url: AbsoluteURL) throws(CredentialFailure) {
        guard url.scheme != "https", !url.isLoopback else { return }
        throw CredentialFailure(
            .denied, code: "plain-http",
            "no token is sent to \(url.authority) without TLS: anyone on the way could take it")
    }

    /// Without a role the machine's own credentials are used, and only where they are the account's: another
    /// account's resources must never be taken for this one's.
    private func check(_ credentials: AWSCredentials, belongTo account: String) throws(CredentialFailure) {
        guard let own = credentials.account, own != account else { return }
        throw CredentialFailure(
            .denied, code: "other-account",
            "the account \(account) has no read-role, and this machine's AWS credentials are of the account \(own)")
    }

    /// The AWS account of this machine's credentials: a text of 12 digits.
    package func ownAccount() async throws(CallFailure) -> String {
        do {
            guard case .aws(let credentials) = try await granted(.awsOwn) else { return "" }
            return credentials.account ?? ""
        } catch {
            throw error.callFailure
        }
    }

    /// The region that AWS calls without one go to: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's; `nil` where
    /// nobody says.
    package nonisolated func ownRegion() throws(CallFailure) -> String? {
        do { return try aws.region() } catch { throw error.callFailure }
    }

    package func learn(
        from answer: HTTPResponse, code: String, to request: HTTPRequest, in scope: CallScope
    ) async -> Bool {
        guard let url = AbsoluteURL(request.url), let grant = try? grant(for: scope, at: url) else { return false }
        let seconds = now().nanoseconds / 1_000_000_000
        if scope.cloud == .aws,
            clocks.learn(host: url.authority, code: code, date: answer.headers["Date"], now: seconds)
        {
            return true
        }
        let ended = scope.cloud == .aws ? Self.ended.contains(code) : answer.status == 401
        guard ended, let old = kept[grant] else { return false }
        // What is that new was not refused for its age.
        guard now().since(old.obtained).nanoseconds >= Self.pause.nanoseconds else { return false }
        kept[grant] = nil
        if grant == .awsOwn { kept[.awsBase] = nil }
        return true
    }

    // MARK: Keeping

    /// The credentials of a grant: kept ones while they last, else new ones.
    private func granted(_ grant: Grant) async throws(CredentialFailure) -> Granted {
        while true {
            if let old = kept[grant], now() < old.renewAt { return old.granted }
            if let (failure, until) = refused[grant], now() < until { throw failure }
            if asking[grant] == nil { return try await renewed(grant) }
            let (stream, waiter) = AsyncStream<Outcome>.makeStream(bufferingPolicy: .bufferingNewest(1))
            asking[grant]?.append(waiter)
            var outcome: Outcome?
            for await result in stream { outcome = result }
            switch outcome {
            case .success(let granted): return granted
            // Whoever asked was cancelled, not the one who waits: it asks itself.
            case .failure(let failure) where failure.kind == .cancelled && !Task.isCancelled: continue
            case .failure(let failure): throw failure
            case nil: throw CredentialFailure(.cancelled, code: "cancelled", "\(grant.name): cancelled")
            }
        }
    }

    /// Asks for new credentials, in the name of all who come meanwhile.
    private func renewed(_ grant: Grant) async throws(CredentialFailure) -> Granted {
        asking[grant] = []
        let outcome: Outcome
        do {
            let granted = try await fetch(grant)
            keep(granted, for: grant)
            outcome = .success(granted)
        } catch {
            outcome = old(grant, after: error).map { .success($0) } ?? .failure(error)
            if [.denied, .misconfigured, .absent].contains(error.kind) {
                refused[grant] = (error, until: now() + Self.pause)
            }
        }
        for waiter in asking.removeValue(forKey: grant) ?? [] {
            waiter.yield(outcome)
            waiter.finish()
        }
        return try outcome.get()
    }

    private func keep(_ granted: Granted, for grant: Grant) {
        let time = now()
        refused[grant] = nil
        // Sessions for single calls are many, and none is asked for again when its call is over.
        kept = kept.filter { ($0.value.granted.expires ?? .distantFuture) > time }
        refused = refused.filter { $0.value.until > time }
        var renewAt = time + Self.rereading
        if let end = granted.expires {
            // Of what lives shortly at least half is used.
            let early = min(Self.renewal.nanoseconds + jitter.nanoseconds, end.since(time).nanoseconds / 2)
            renewAt = max(end - Span(nanoseconds: early), time + Self.pause)
            renewAt = min(renewAt, end)
        }
        kept[grant] = Kept(granted: granted, obtained: time, renewAt: renewAt)
    }

    /// The old credentials, where they still last and the failure may pass; they serve for a while, then the renewal is
    /// tried again.
    private func old(_ grant: Grant, after failure: CredentialFailure) -> Granted? {
        guard failure.kind == .unavailable, let old = kept[grant] else { return nil }
        let end = old.granted.expires ?? .distantFuture
        guard now() < end else {
            kept[grant] = nil
            return nil
        }
        kept[grant]?.renewAt = min(now() + Self.pause, end)
        return old.granted
    }

    private func fetch(_ grant: Grant) async throws(CredentialFailure) -> Granted {
        switch grant {
        case .awsBase: .aws(try await aws.credentials())
        case .awsOwn: .aws(try await own())
        case .awsRole(let role): .aws(try await assume(role))
        case .azure(let resource, let tenant, let client):
            .bearer(try await azure.token(for: resource, tenant: tenant, client: client))
        case .google(let account): .bearer(try await google.token(actingAs: account))
        }
    }

    /// The machine's own credentials, with their account.
    private func own() async throws(CredentialFailure) -> AWSCredentials {
        try await withBase { base throws(CredentialFailure) in
            var base = base
            if base.account == nil { base.account = try await self.aws.tokenService().account(of: base.keys) }
            return base
        }
    }

    private func assume(_ role: AssumedRole) async throws(CredentialFailure) -> AWSCredentials {
        try await withBase { base throws(CredentialFailure) in
            try await self.aws.tokenService().assume(role, with: base.keys)
        }
    }

    /// Asks with the machine's own credentials. Where they were changed before their time they are read again, once.
    private func withBase(
        _ ask: (AWSCredentials) async throws(CredentialFailure) -> AWSCredentials
    ) async throws(CredentialFailure) -> AWSCredentials {
        do {
            return try await ask(base())
        } catch {
            guard ["ExpiredToken", "InvalidClientTokenId"].contains(error.code) else { throw error }
            kept[.awsBase] = nil
            return try await ask(base())
        }
    }

    private func base() async throws(CredentialFailure) -> AWSCredentials {
        guard case .aws(let credentials) = try await granted(.awsBase) else { preconditionFailure("not AWS's") }
        return credentials
    }
}
