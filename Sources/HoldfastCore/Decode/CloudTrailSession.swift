internal import HoldfastJSON

/// Events by which somebody gets to act under another name.
enum CloudTrailSession {
    /// The services that open sessions; everything else is none of these events.
    static let sources = [
        "sts.amazonaws.com", "signin.amazonaws.com", "rolesanywhere.amazonaws.com", "cognito-identity.amazonaws.com",
        "eks-auth.amazonaws.com",
    ]

    private static let actions: Set = [
        "sts.amazonaws.com/AssumeRole", "sts.amazonaws.com/AssumeRoleWithSAML",
        "sts.amazonaws.com/AssumeRoleWithWebIdentity", "sts.amazonaws.com/AssumeRoot",
        "sts.amazonaws.com/GetSessionToken", "sts.amazonaws.com/GetFederationToken",
        "sts.amazonaws.com/GetDelegatedAccessToken", "signin.amazonaws.com/ConsoleLogin",
        "signin.amazonaws.com/SwitchRole", "rolesanywhere.amazonaws.com/CreateSession",
        "cognito-identity.amazonaws.com/GetCredentialsForIdentity", "eks-auth.amazonaws.com/AssumeRoleForPodIdentity",
    ]

    /// `nil` where the event opens no session, or does not say which.
    static func opening(_ event: ChangeEvent, _ body: JSONObject) -> SessionOpening? {
        guard actions.contains(event.action) else { return nil }
        if event.action.hasPrefix("signin.") { return signIn(event, body) }
        guard let response = body["responseElements"]?.object else { return nil }
        let issued = [response] + (response["credentialSet"]?.array ?? []).compactMap(\.object)
        let keys = issued.compactMap { $0["credentials"]?["accessKeyId"]?.filled }
        let names = issued.compactMap { $0["assumedRoleUser"]?["arn"]?.filled ?? $0["federatedUser"]?["arn"]?.filled }
        guard !(keys + names).isEmpty else { return nil }
        return SessionOpening(sessions: keys + names, caller: event.actor, event: event)
    }

    /// The console's sessions are known by the name of who is signed in alone.
    private static func signIn(_ event: ChangeEvent, _ body: JSONObject) -> SessionOpening? {
        guard let arn = body["userIdentity"]?["arn"]?.filled else { return nil }
        var caller = event.actor
        if let from = body["additionalEventData"]?["SwitchFrom"]?.filled { caller = Principal(name: from) }
        if caller.sessionKey == arn { caller.sessionKey = "" }
        return SessionOpening(sessions: [arn], caller: caller, event: event)
    }
}
