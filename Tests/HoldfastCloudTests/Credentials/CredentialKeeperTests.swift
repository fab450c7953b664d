import HoldfastCloud
import HoldfastCore
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import TestOracles
import Testing

@Suite("The keeper of credentials")
struct CredentialKeeperTests: KeeperTesting {
    let clock = WallClock()

    // MARK: Roles

    @Test("A call is signed as the account's read-role, with its external id, for the service and region of the call")
    func readRole() async throws {
        let exchange = ScriptedExchange(answers: [("reader", .keys("ASIAREAD"))])
        let keeper = keeper(exchange)
        let signed = try await keeper.authorize(Self.request, signingName: "ec2", in: Self.reading)
        #expect(signed.headers["Authorization"]?.contains("Credential=ASIAREAD/20261122/eu-west-1/ec2/") == true)
        #expect(signed.headers["X-Amz-Security-Token"] == "to<ken>&")
        let form = try #require(exchange.requests.first).form
        #expect(form["RoleArn"] == "arn:aws:iam::012345670123:role/reader")
        #expect(form["ExternalId"] == "ext-7")
        #expect(form["RoleSessionName"] == "holdfast-read")
    }

    @Test("The write-role is never taken on by a process that may not write, and the refusal says so")
    func mayNotWrite() async {
        let exchange = ScriptedExchange(answers: [("", .keys("ASIA"))])
        let failure = await #expect(throws: CallFailure.self) { try await key(keeper(exchange), Self.writing) }
        #expect(failure?.kind == .denied)
        #expect(failure?.code == "writing-not-allowed")
        #expect(failure?.message.contains("without the right to write") == true)
        #expect(exchange.requests.isEmpty)
    }

    @Test("A process that may write takes on the write-role for a write, and the read-role for a read")
    func mayWrite() async throws {
        let exchange = ScriptedExchange(answers: [("reader", .keys("ASIAREAD")), ("writer", .keys("ASIAWRITE"))])
        let keeper = keeper(exchange, mayWrite: true)
        #expect(try await key(keeper) == "ASIAREAD")
        #expect(exchange.requests.count == 1)
        #expect(try await key(keeper, Self.writing) == "ASIAWRITE")
        #expect(exchange.requests.last?.form["RoleSessionName"] == "holdfast-write")
        #expect(try await key(keeper) == "ASIAREAD")
        #expect(exchange.requests.count == 2)
    }

    @Test("A write's session may do no more than its policy says, lasts no longer than it must, and is no other call's")
    func sessionPolicy() async throws {
        let exchange = ScriptedExchange(answers: [("writer", .keys("ASIAWRITE"))])
        let keeper = keeper(exchange, mayWrite: true)
        var scope = Self.writing
        for policy in ["{\"a\":1}", "{\"b\":2}", "{\"a\":1}"] {
            scope.sessionPolicy = policy
            _ = try await key(keeper, scope)
        }
        let forms = exchange.requests.map(\.form)
        #expect(forms.map { $0["Policy"] } == ["{\"a\":1}", "{\"b\":2}"])
        #expect(forms.map { $0["DurationSeconds"] } == ["900", "900"])
        _ = try await key(keeper, Self.writing)
        #expect(exchange.requests.last?.form["Policy"] == nil)
    }

    @Test("An account without a write-role is never written, whoever the credentials are")
    func noWriteRole() async {
        let exchange = ScriptedExchange(answers: [("", .keys("ASIA"))])
        var access = Self.account
        access.writeRole = nil
        for accounts in [[access], []] {
            let keeper = keeper(exchange, accounts: accounts, mayWrite: true)
            let failure = await #expect(throws: CallFailure.self) { try await key(keeper, Self.writing) }
            #expect(failure?.code == "no-write-role")
        }
        #expect(exchange.requests.isEmpty)
    }

    @Test(
        "Without a role the machine's own credentials read their own account, and no other",
        arguments: [
            ("012345670123", true), ("111122223333", false), ("", true),
        ])
    func ownAccount(account: String, allowed: Bool) async throws {
        let exchange = ScriptedExchange(answers: [("GetCallerIdentity", .text("<Account>012345670123</Account>"))])
        let keeper = keeper(exchange, accounts: [])
        let scope = CallScope(cloud: .aws, account: account, region: "eu-west-1")
        if allowed {
            #expect(try await key(keeper, scope) == "AKIABASE")
            #expect(try await key(keeper, scope) == "AKIABASE")
        } else {
            let failure = await #expect(throws: CallFailure.self) { try await key(keeper, scope) }
            #expect(failure?.code == "other-account")
            #expect(failure?.message.contains("012345670123") == true)
        }
        #expect(exchange.requests.count == (account.isEmpty ? 0 : 1))
        #expect(try await keeper.ownAccount() == "012345670123")
        #expect(try keeper.ownRegion() == "eu-west-1")
    }

    @Test(
        "A role of another account, or what is no role, is refused before anything is sent",
        arguments: [
            "arn:aws:iam::999999999999:role/r", "arn:aws:iam::012345670123:user/u", "reader",
        ])
    func foreignRole(role: String) async {
        let exchange = ScriptedExchange(answers: [("", .keys("ASIA"))])
        let access = AccountAccess(cloud: .aws, account: "012345670123", readRole: role)
        #expect(access.problems.count == 1)
        let failure = await #expect(throws: CallFailure.self) { try await key(keeper(exchange, accounts: [access])) }
        #expect(failure?.kind == .denied)
        #expect(exchange.requests.isEmpty)
    }

    @Test(
        "Global services are signed for the region of their partition",
        arguments: [
            ("eu-west-1", "us-east-1"), ("cn-northwest-1", "cn-north-1"), ("us-gov-east-1", "us-gov-west-1"),
        ])
    func globalRegion(home: String, expected: String) async throws {
        let environment = Self.environment.merging(["AWS_REGION": home]) { $1 }
        let keeper = keeper(AWSProfileTests.silent, accounts: [], environment: environment)
        let signed = try await keeper.authorize(
            Self.request, signingName: "iam", in: CallScope(cloud: .aws, account: ""))
        #expect(signed.headers["Authorization"]?.contains("/\(expected)/iam/aws4_request") == true)
    }

    @Test("An account that is enrolled later is read as its own role")
    func enrol() async throws {
        let exchange = ScriptedExchange(answers: [("reader", .keys("ASIAREAD"))])
        let keeper = keeper(exchange, accounts: [])
        await keeper.enrol(Self.account)
        #expect(try await key(keeper) == "ASIAREAD")
    }

    // MARK: Learning from refusals

    @Test("A refusal for the date is learnt from, for its host, and the next signature bears the server's time")
    func skew() async throws {
        let keeper = keeper(AWSProfileTests.silent, accounts: [])
        let scope = CallScope(cloud: .aws, account: "", region: "eu-west-1")
        let signed = try await keeper.authorize(Self.request, signingName: "ec2", in: scope)
        #expect(signed.headers["X-Amz-Date"] == "20261122T080000Z")
        let answer = HTTPResponse(status: 403, headers: HTTPHeaders(["Date": "Sun, 22 Nov 2026 09:00:00 GMT"]))
        #expect(await keeper.learn(from: answer, code: "RequestExpired", to: signed, in: scope))
        let again = try await keeper.authorize(signed, signingName: "ec2", in: scope)
        #expect(again.headers["X-Amz-Date"] == "20261122T090000Z")
        #expect(await !keeper.learn(from: answer, code: "RequestExpired", to: again, in: scope))
        var other = Self.request
        other.url = "https://iam.amazonaws.com/"
        let elsewhere = try await keeper.authorize(other, signingName: "iam", in: scope)
        #expect(elsewhere.headers["X-Amz-Date"] == "20261122T080000Z")
    }

    @Test("Credentials that are refused as ended are asked for anew once; new ones that are refused are not")
    func endedEarly() async throws {
        let count = Mutex(0)
        let exchange = ScriptedExchange { _ throws(HTTPFailure) in .keys("ASIA\(count.withLock { $0 += 1; return $0 })")
        }
        let keeper = keeper(exchange)
        let signed = try await keeper.authorize(Self.request, signingName: "ec2", in: Self.reading)
        let answer = HTTPResponse(status: 403)
        #expect(await !keeper.learn(from: answer, code: "ExpiredToken", to: signed, in: Self.reading))
        clock.pass(60)
        #expect(await !keeper.learn(from: answer, code: "AccessDenied", to: signed, in: Self.reading))
        #expect(await keeper.learn(from: answer, code: "ExpiredToken", to: signed, in: Self.reading))
        #expect(try await key(keeper) == "ASIA2")
        #expect(await !keeper.learn(from: answer, code: "ExpiredToken", to: signed, in: Self.reading))
    }

    // MARK: Bearers

    @Test("Azure and Google calls bear a token, kept for all accounts that are reached the same way")
    func bearers() async throws {
        let environment = [
            "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s",
            "GOOGLE_CLOUD_QUOTA_PROJECT": "payer",
        ]
        let exchange = ScriptedExchange(answers: [
            ("login.microsoftonline.com/t/", .json(AzureTokenTests.token)),
            ("login.microsoftonline.com/other/", .json(["access_token": "other-tenant", "expires_in": 60])),
            ("metadata", .json(["access_token": "g", "expires_in": 3600], headers: ["Metadata-Flavor": "Google"])),
        ])
        let accounts = [AccountAccess(cloud: .azure, account: "sub-3", tenant: "other")]
        let keeper = keeper(exchange, accounts: accounts, environment: environment)
        func sent(_ cloud: Cloud, _ account: String, _ url: String) async throws -> HTTPHeaders {
            try await keeper.authorize(
                HTTPRequest(method: "GET", url: url), signingName: "", in: CallScope(cloud: cloud, account: account)
            ).headers
        }
        let manager = "https://management.azure.com/subscriptions"
        #expect(try await sent(.azure, "sub-1", manager)["Authorization"] == "Bearer the-token")
        #expect(try await sent(.azure, "sub-2", manager)["Authorization"] == "Bearer the-token")
        #expect(exchange.requests.count == 1)
        #expect(try await sent(.azure, "sub-3", manager)["Authorization"] == "Bearer other-tenant")
        #expect(
            try await sent(.azure, "sub-1", "https://graph.microsoft.com/v1.0/x")["Authorization"] == "Bearer the-token"
        )
        #expect(exchange.requests.last?.form["scope"] == "https://graph.microsoft.com/.default")
        let google = try await sent(.gcp, "p", "https://compute.googleapis.com/compute/v1/projects/p")
        #expect(google["Authorization"] == "Bearer g")
        #expect(google["x-goog-user-project"] == "payer")
    }

    @Test(
        "No token leaves for a host that is not the cloud's, nor without TLS",
        arguments: [
            (Cloud.azure, "https://evil.example/"), (.azure, "https://management.azure.com.evil.example/"),
            (.azure, "http://management.azure.com/"), (.azure, "https://management.azure.com:8443/"),
            (.gcp, "https://evilgoogleapis.com/"), (.gcp, "https://googleapis.com.evil.example/"),
            (.gcp, "http://compute.googleapis.com/"), (.gcp, "https://compute.googleapis.com@evil.example/"),
        ])
    func foreignHosts(cloud: Cloud, url: String) async {
        let exchange = ScriptedExchange(answers: [("", .json(AzureTokenTests.token))])
        let keeper = keeper(
            exchange, environment: ["AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"])
        let failure = await #expect(throws: CallFailure.self) {
            try await keeper.authorize(
                HTTPRequest(method: "GET", url: url), signingName: "", in: CallScope(cloud: cloud, account: "a"))
        }
        #expect(failure?.kind == .denied)
        #expect(exchange.requests.isEmpty)
    }

    @Test("Sovereign clouds have hosts of their own, and wiring may add more")
    func targets() async throws {
        let environment = [
            "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s",
            "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us",
        ]
        let exchange = ScriptedExchange(answers: [("login.microsoftonline.us", .json(AzureTokenTests.token))])
        let scope = CallScope(cloud: .azure, account: "a")
        let request = HTTPRequest(method: "GET", url: "https://management.usgovcloudapi.net/x")
        _ = try await keeper(exchange, environment: environment).authorize(request, signingName: "", in: scope)
        #expect(exchange.requests.first?.form["scope"] == "https://management.usgovcloudapi.net/.default")
        var targets = TokenTargets.usual()
        targets.azure["127.0.0.1:8080"] = "https://management.azure.com"
        let local = HTTPRequest(method: "GET", url: "http://127.0.0.1:8080/x")
        let signed = try await keeper(exchange, environment: environment, targets: targets)
            .authorize(local, signingName: "", in: scope)
        #expect(signed.headers["Authorization"] == "Bearer the-token")
    }

    @Test("A token that is refused with 401 is asked for anew once")
    func refusedBearer() async throws {
        let exchange = ScriptedExchange(answers: [
            ("metadata", .json(["access_token": "g", "expires_in": 3600], headers: ["Metadata-Flavor": "Google"]))
        ])
        let keeper = keeper(exchange, environment: [:])
        let scope = CallScope(cloud: .gcp, account: "p")
        let request = HTTPRequest(method: "GET", url: "https://storage.googleapis.com/x")
        let signed = try await keeper.authorize(request, signingName: "", in: scope)
        clock.pass(60)
        #expect(await !keeper.learn(from: HTTPResponse(status: 403), code: "forbidden", to: signed, in: scope))
        #expect(await keeper.learn(from: HTTPResponse(status: 401), code: "", to: signed, in: scope))
        _ = try await keeper.authorize(request, signingName: "", in: scope)
        #expect(exchange.requests.count == 2)
    }
}
