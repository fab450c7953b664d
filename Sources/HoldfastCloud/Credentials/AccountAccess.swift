package import HoldfastCore

/// Whom to be in one account, for reading and for writing.
package struct AccountAccess: Sendable, Hashable {
    package var cloud: Cloud
    /// AWS account id, Azure subscription, Google project: text.
    package var account: String
    /// AWS: the role's ARN. Google: the email of a service account to act as. Azure: the client id of the identity to
    /// act as. `nil`: as whoever the credentials are.
    package var readRole: String?
    /// The same, for writing. `nil`: nothing is ever written in this account.
    package var writeRole: String?
    /// AWS: what the roles' trust policies want to hear.
    package var externalID: String?
    /// Azure: the account's tenant, where it is not `AZURE_TENANT_ID`.
    package var tenant: String?

    package init(
        cloud: Cloud, account: String, readRole: String? = nil, writeRole: String? = nil, externalID: String? = nil,
        tenant: String? = nil
    ) {
        self.cloud = cloud
        self.account = account
        self.readRole = readRole
        self.writeRole = writeRole
        self.externalID = externalID
        self.tenant = tenant
    }

    /// What cannot be meant, in words; empty where all is well. Called where accounts are configured or enrolled.
    package var problems: [String] {
        guard cloud == .aws else { return [] }
        return [("read-role", readRole), ("write-role", writeRole)].compactMap { name, role in
            guard let role else { return nil }
            let parts = role.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 6, parts[0] == "arn", parts[2] == "iam", parts[5].hasPrefix("role/") else {
                return "the \(name) \(role) of the account \(account) is not the ARN of a role"
                    + " (arn:aws:iam::012345670123:role/NAME)"
            }
            guard parts[4] == account else {
                return "the \(name) of the account \(account) is a role of the account \(parts[4])"
            }
            return nil
        }
    }
}

/// One set of credentials that is kept: calls with the same grant share it.
enum Grant: Hashable, Sendable {
    /// Whoever the machine's credentials are.
    case awsBase
    /// The same, with the account that they belong to.
    case awsOwn
    case awsRole(AssumedRole)
    case azure(resource: String, tenant: String?, client: String?)
    case google(actingAs: String?)

    /// For messages.
    var name: String {
        switch self {
        case .awsBase, .awsOwn: "the AWS credentials of this machine"
        case .awsRole(let role): "the AWS role \(role.arn)"
        case .azure(let resource, _, let client): "the Azure token for \(resource)\(client.map { " as \($0)" } ?? "")"
        case .google(let account): "the Google token\(account.map { " as \($0)" } ?? "")"
        }
    }
}

/// What a grant gave.
enum Granted: Sendable, Equatable {
    case aws(AWSCredentials)
    case bearer(BearerToken)

    var expires: Timestamp? {
        switch self {
        case .aws(let credentials): credentials.expires
        case .bearer(let token): token.expires
        }
    }
}

/// The hosts that bearer tokens may be sent to, and what a token for each is asked for. Whoever gets such a token can
/// use it, and addresses come from answers too (next pages, long operations), so nothing else is sent one.
package struct TokenTargets: Sendable {
    /// Host, with its port where it has one (`management.azure.com`, `127.0.0.1:8443`), to the resource of the token
    /// (`https://management.azure.com`).
    package var azure: [String: String]
    /// Hosts; those that start with a dot stand for all that end so.
    package var google: Set<String>

    package init(azure: [String: String], google: Set<String>) {
        self.azure = azure
        self.google = google
    }

    /// The clouds' own hosts.
    /// - Parameter authority: the host of `AZURE_AUTHORITY_HOST`, which says which of Microsoft's clouds it is.
    package static func usual(authority: String = "login.microsoftonline.com") -> TokenTargets {
        let clouds = [
            "login.microsoftonline.us": ("management.usgovcloudapi.net", "graph.microsoft.us"),
            "login.chinacloudapi.cn": ("management.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn"),
            "login.partner.microsoftonline.cn": ("management.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn"),
        ]
        let (manager, graph) = clouds[authority] ?? ("management.azure.com", "graph.microsoft.com")
        return TokenTargets(
            azure: [manager: "https://\(manager)", graph: "https://\(graph)"], google: [".googleapis.com"])
    }

    func isGoogle(_ authority: String) -> Bool {
        google.contains { $0.hasPrefix(".") ? authority.hasSuffix($0) : authority == $0 }
    }
}
