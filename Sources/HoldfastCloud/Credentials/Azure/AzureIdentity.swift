internal import HoldfastCore
package import HoldfastCrypto
internal import HoldfastHTTP

/// Where Azure credentials come from, decided; nothing has been asked yet.
package enum AzureIdentity: Sendable, Equatable {
    case secret(AzureClient, Secret)
    /// - Parameter file: in PEM form, the certificate and its key.
    case certificate(AzureClient, file: String)
    /// A token of another identity provider, in a file that is renewed under our feet.
    case federated(AzureClient, tokenFile: String)
    /// App Service, Functions, Container Apps.
    case appService(endpoint: String, header: Secret, client: String?)
    /// The instance metadata service of a virtual machine.
    case machine(endpoint: String, client: String?)
}

/// An application of a tenant.
package struct AzureClient: Sendable, Hashable {
    package var tenant: String
    package var id: String

    package init(tenant: String, id: String) {
        self.tenant = tenant
        self.id = id
    }
}

extension AzureCredentials {
    /// Where credentials come from, in the order of azure-identity's DefaultAzureCredential, as far as a service can:
    /// environment, workload identity, managed identity.
    /// - Parameters:
    ///   - tenant: in place of `AZURE_TENANT_ID`.
    ///   - client: whom to act as, in place of `AZURE_CLIENT_ID`. A secret or certificate belongs to one client.
    package func identity(tenant: String?, client: String?) throws(CredentialFailure) -> AzureIdentity {
        let ownClient = surroundings.value("AZURE_CLIENT_ID")
        if let tenant = tenant ?? surroundings.value("AZURE_TENANT_ID"), let id = client ?? ownClient {
            let application = AzureClient(tenant: tenant, id: id)
            if let secret = surroundings.secret("AZURE_CLIENT_SECRET") {
                try refuse(client, unless: ownClient, "AZURE_CLIENT_SECRET")
                return .secret(application, secret)
            }
            if let file = surroundings.value("AZURE_CLIENT_CERTIFICATE_PATH") {
                try refuse(client, unless: ownClient, "AZURE_CLIENT_CERTIFICATE_PATH")
                return .certificate(application, file: surroundings.expanded(file))
            }
            if let file = surroundings.value("AZURE_FEDERATED_TOKEN_FILE") {
                return .federated(application, tokenFile: surroundings.expanded(file))
            }
        }
        try refuseIncomplete()
        return try managedIdentity(client: client ?? ownClient)
    }

    private func refuse(
        _ client: String?, unless own: String?, _ variable: String
    ) throws(CredentialFailure) {
        guard let client, client != own else { return }
        throw .misconfigured(
            "the role is the client \(client), and \(variable) belongs to AZURE_CLIENT_ID"
                + " (\(own ?? "which is not set")); with workload or managed identity a role may be any client")
    }

    /// A secret or certificate without the rest is a mistake to name, not one to pass over.
    private func refuseIncomplete() throws(CredentialFailure) {
        for variable in ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"]
        where surroundings.value(variable) != nil {
            let missing = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"].filter { surroundings.value($0) == nil }
            throw .misconfigured("\(variable) is set, and \(missing.joined(separator: " and ")) not")
        }
    }

    private func managedIdentity(client: String?) throws(CredentialFailure) -> AzureIdentity {
        if let endpoint = surroundings.value("IDENTITY_ENDPOINT") {
            guard let header = surroundings.secret("IDENTITY_HEADER"),
                surroundings.value("IDENTITY_SERVER_THUMBPRINT") == nil
            else {
                throw .misconfigured(
                    "IDENTITY_ENDPOINT is of Azure Arc or Service Fabric, whose managed identities are not supported;"
                        + " use a client certificate or workload identity")
            }
            return .appService(endpoint: endpoint, header: header, client: client)
        }
        guard surroundings.value("MSI_ENDPOINT") == nil else {
            throw .misconfigured(
                "MSI_ENDPOINT is of Cloud Shell or Azure ML, whose managed identities are not supported; use a client"
                    + " secret or certificate")
        }
        var endpoint = surroundings.value("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? "http://169.254.169.254"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        return .machine(endpoint: endpoint, client: client)
    }
}
