internal import HoldfastJSON

extension People {
    /// Whom a provider's subject stands for.
    package func person(oidc subject: String) -> String? {
        identities.first { $0.oidc.contains { $0.equalsInUTF8(subject) } }?.person
    }

    /// Whom a user of this machine stands for, by name or by number.
    package func person(local names: [String]) -> String? {
        identities.first { $0.local.contains(where: names.contains) }?.person
    }
}
