internal import HoldfastJSON

/// Events by which somebody gets to act under another name.
enum CloudTrailSession {
    /// The operations by service. All that the sign-in service logs is read with care: it says in its answers whether
    /// an operation succeeded.
    static let operations: [(source: String, names: [String])] = [
        (
            "sts.amazonaws.com",
            [
                "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetSessionToken",
                "GetFederationToken", "GetDelegatedAccessToken",
            ]
        ),
        (signIn, ["ConsoleLogin", "SwitchRole"]),
        ("rolesanywhere.amazonaws.com", ["CreateSession"]),
        ("cognito-identity.amazonaws.com", ["GetCredentialsForIdentity"]),
        ("eks-auth.amazonaws.com", ["AssumeRoleForPodIdentity"]),
    ]
    static let signIn = "signin.amazonaws.com"

    /// `nil` where the event opens no session, or does not say which.
    static func opening(_ event: ChangeEvent, _ fields: CloudTrailFields, _ body: JSONObject) -> SessionOpening? {
        guard operations.contains(where: { $0.source == fields.source && $0.names.contains(fields.name) }) else {
            return nil
        }
        if fields.source == signIn { return console(event, body) }
        guard let response = body["responseElements"]?.object else { return nil }
        let issued = [response] + (response["credentialSet"]?.array ?? []).compactMap(\.object)
        let keys = issued.compactMap { $0["credentials"]?["accessKeyId"]?.filled }
        let names = issued.compactMap { $0["assumedRoleUser"]?["arn"]?.filled ?? $0["federatedUser"]?["arn"]?.filled }
        guard !(keys + names).isEmpty else { return nil }
        return SessionOpening(sessions: keys + names, caller: event.actor, event: event)
    }

    /// The console's sessions are known by the name of who is signed in alone.
    private static func console(_ event: ChangeEvent, _ body: JSONObject) -> SessionOpening? {
        guard let arn = body["userIdentity"]?["arn"]?.filled else { return nil }
        var caller = event.actor
        if let from = body["additionalEventData"]?["SwitchFrom"]?.filled { caller = Principal(name: from) }
        if caller.sessionKey == arn { caller.sessionKey = "" }
        return SessionOpening(sessions: [arn], caller: caller, event: event)
    }
}
