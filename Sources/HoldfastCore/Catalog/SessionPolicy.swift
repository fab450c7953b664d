package import HoldfastJSON

extension CloudCall {
    /// The most that a session which makes this one call of AWS may do: its permission on what the catalog says that it
    /// acts on, and what AWS asks for beside. A role's own policies still count.
    package func sessionPolicy(_ parameters: JSONObject, in context: ResourceContext) -> JSON {
        var scope = Variables()
        scope.account = context.account
        scope.region = context.region
        let named = resources.flatMap { $0.filled(parameters, scope) }
        var statements: [JSON] = [CloudCall.allow([permission], on: named.isEmpty ? ["*"] : named)]
        if !alsoNeeds.isEmpty { statements.append(CloudCall.allow(alsoNeeds, on: ["*"])) }
        return ["Version": "2012-10-17", "Statement": .array(statements)]
    }

    private static func allow(_ actions: [String], on resources: [String]) -> JSON {
        [
            "Effect": "Allow", "Action": .array(actions.map(JSON.string)),
            "Resource": .array(resources.map(JSON.string)),
        ]
    }
}

extension IDTemplate {
    /// The names that parameters make of it: one for each element of a list. None where a parameter is not given.
    fileprivate func filled(_ parameters: JSONObject, _ surroundings: Variables) -> [String] {
        var names = [""]
        for part in parts {
            switch part {
            case .text(let text): names = names.map { $0 + text }
            case .variable(let name), .wide(let name):
                let given = parameters[name]?.scalarTexts.map(\.withoutWildcards)
                let values = given ?? [surroundings[name]].compactMap { $0 }
                names = names.flatMap { name in values.map { name + $0 } }
            }
        }
        return names
    }
}

extension String {
    /// As it stands in a policy for itself: without it a star would stand for anything.
    fileprivate var withoutWildcards: String {
        reduce(into: "") { text, character in
            text += "*?$".contains(character) ? "${\(character)}" : String(character)
        }
    }
}
