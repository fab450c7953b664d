/// Through what a request came, told from what its sender says of itself.
struct UserAgent {
    /// What it gives away, each wherever it stands in the text and in whatever case.
    private var isTerraform = false
    private var isGoogleTool = false
    private var isGoogleConsole = false
    private var isLibrary = false
    /// What it begins or ends with.
    private let isConsole: Bool
    private let isTool: Bool
    private let isBrowser: Bool
    private let isService: Bool
    private let isCloudFormation: Bool

    /// At most the first 512 bytes count.
    init(_ agent: String) {
        let name = agent.hasPrefix("[") ? String(agent.dropFirst()) : agent
        isConsole = ["signin.amazonaws.com", "console.", "S3Console/"].contains { name.hasPrefix($0) }
        isTool = name.hasPrefix("aws-cli/") || name.hasPrefix("AWSPowerShell")
        isBrowser = name.hasPrefix("Mozilla/")
        isService = agent.hasSuffix(".amazonaws.com")
        isCloudFormation = agent.hasSuffix(UserAgent.cloudFormation)
        let bytes = agent.utf8.prefix(512).map { (65...90).contains($0) ? $0 + 32 : $0 }
        func has(_ words: StaticString..., at start: Int) -> Bool {
            words.contains { word in
                unsafe bytes[start...].starts(
                    with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
            }
        }
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "t"): isTerraform = isTerraform || has("terraform", at: index)
            case UInt8(ascii: "h"): isTerraform = isTerraform || has("hashicorp", at: index)
            case UInt8(ascii: "o"): isTerraform = isTerraform || has("opentofu", at: index)
            case UInt8(ascii: "b"): isLibrary = isLibrary || has("boto", at: index)
            case UInt8(ascii: "a"): isLibrary = isLibrary || has("aws-sdk", "amazon/", "aws-internal", at: index)
            case UInt8(ascii: "c"): isGoogleConsole = isGoogleConsole || has("cloud-console", at: index)
            case UInt8(ascii: "g"):
                isGoogleTool = isGoogleTool || has("gcloud/", "google-cloud-sdk", "gsutil", at: index)
                isLibrary = isLibrary || has("google-api-", "grpc-", "gcloud-", "gl-", "gapic", at: index)
            default: break
            }
        }
    }

    private static let cloudFormation = "cloudformation.amazonaws.com"

    /// Of an AWS event.
    ///
    /// - Parameter invokedBy: the service that made the request for someone, or empty.
    func via(invokedBy: String, eventType: String, isConsoleSession: Bool) -> Via {
        if invokedBy.isEmpty ? isCloudFormation : invokedBy == UserAgent.cloudFormation { return .cloudformation }
        if isTerraform { return .terraform }
        if isConsoleSession || isConsole || eventType == "AwsConsoleAction" || eventType == "AwsConsoleSignIn" {
            return .console
        }
        if isService || !invokedBy.isEmpty || eventType == "AwsServiceEvent" { return .service }
        if isTool { return .cli }
        if isBrowser { return .console }
        return isLibrary ? .sdk : .unknown
    }

    /// Of a Google audit log entry.
    func via(principal: String) -> Via {
        if isTerraform { return .terraform }
        if isGoogleTool { return .cli }
        if isGoogleConsole || isBrowser { return .console }
        let services = ["@system.gserviceaccount.com", "@cloudservices.gserviceaccount.com"]
        if services.contains(where: { principal.hasSuffix($0) }) { return .service }
        return isLibrary ? .sdk : .unknown
    }

    /// Of an Azure event, which tells no agent but the application that somebody signed in to.
    static func via(application: String) -> Via {
        switch application.lowercased() {
        case "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": .console
        // The Azure CLI and Azure PowerShell; Terraform borrows the first where it runs on a person's sign-in.
        case "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "1950a258-227b-4e31-a9cf-717495945fc2": .cli
        default: .unknown
        }
    }
}
