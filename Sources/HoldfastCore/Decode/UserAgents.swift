/// Through what a request came, told from what its sender says of itself.
enum UserAgents {
    /// - Parameters:
    ///   - agent: `userAgent` of an AWS event.
    ///   - invokedBy: the service that made the request for someone, or empty.
    static func via(aws agent: String, invokedBy: String, eventType: String, isConsoleSession: Bool) -> Via {
        let plain = agent.lowercased().drop { $0 == "[" }
        let service = invokedBy.isEmpty ? String(plain) : invokedBy.lowercased()
        if service.hasSuffix("cloudformation.amazonaws.com") { return .cloudformation }
        if isTerraform(plain) { return .terraform }
        if isConsoleSession || eventType == "AwsConsoleAction" || eventType == "AwsConsoleSignIn" { return .console }
        if plain.hasPrefix("signin.amazonaws.com") || plain.hasPrefix("console.") || plain.hasPrefix("s3console/") {
            return .console
        }
        if !invokedBy.isEmpty || service.hasSuffix(".amazonaws.com") || eventType == "AwsServiceEvent" {
            return .service
        }
        if plain.hasPrefix("aws-cli/") || plain.hasPrefix("awspowershell") { return .cli }
        if plain.hasPrefix("mozilla/") { return .console }
        return ["boto", "aws-sdk", "amazon/", "aws-internal"].contains { plain.contains($0) } ? .sdk : .unknown
    }

    /// - Parameter agent: `requestMetadata.callerSuppliedUserAgent` of a Google audit log entry.
    static func via(google agent: String, principal: String) -> Via {
        let plain = agent.lowercased()[...]
        if isTerraform(plain) { return .terraform }
        if plain.contains("gcloud/") || plain.contains("google-cloud-sdk") || plain.contains("gsutil") { return .cli }
        if plain.hasPrefix("mozilla/") || plain.contains("cloud-console") { return .console }
        if principal.hasSuffix("@system.gserviceaccount.com")
            || principal.hasSuffix("@cloudservices.gserviceaccount.com")
        {
            return .service
        }
        return ["google-api-", "grpc-", "gcloud-", "gl-", "gapic"].contains { plain.contains($0) } ? .sdk : .unknown
    }

    /// - Parameter application: the `appid` claim of an Azure event.
    static func via(azure application: String) -> Via {
        switch application.lowercased() {
        case "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": .console
        // The Azure CLI and Azure PowerShell; Terraform borrows the first where it runs on a person's sign-in.
        case "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "1950a258-227b-4e31-a9cf-717495945fc2": .cli
        default: .unknown
        }
    }

    private static func isTerraform(_ agent: Substring) -> Bool {
        agent.contains("terraform") || agent.contains("hashicorp") || agent.contains("opentofu")
    }
}
