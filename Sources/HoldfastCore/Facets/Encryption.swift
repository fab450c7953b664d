internal import HoldfastJSON

/// How data at rest is encrypted: `{enabled, key: customer | provider | none, keyId}`. `customer` is a key that the
/// customer manages. Where a cloud always encrypts, a resource without settings is encrypted with the provider's key.
enum Encryption {
    /// Where a type says so.
    private struct Place {
        /// `nil`: the cloud always encrypts.
        var enabled: String?
        var key: String
        /// The key's id is there for the provider's keys too, so that an id alone does not say whose key it is.
        var idOfEither = false
        /// Property that says whose key it is, and what it says of the customer's.
        var owner: (path: String, customer: Set<String>)?
    }

    private static func place(_ type: String) -> Place? {
        let byDefault = "BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault"
        switch type {
        case "AWS::S3::Bucket":
            return Place(
                key: "\(byDefault).KMSMasterKeyID",
                owner: ("\(byDefault).SSEAlgorithm", ["aws:kms", "aws:kms:dsse"]))
        case "AWS::RDS::DBInstance", "AWS::RDS::DBCluster":
            return Place(enabled: "StorageEncrypted", key: "KmsKeyId", idOfEither: true)
        case "AWS::EC2::Volume": return Place(enabled: "Encrypted", key: "KmsKeyId", idOfEither: true)
        case "AWS::CloudTrail::Trail": return Place(key: "KMSKeyId")
        case "Microsoft.Storage/storageAccounts":
            return Place(
                key: "properties.encryption.keyvaultproperties.keyname",
                owner: ("properties.encryption.keySource", ["microsoft.keyvault"]))
        case "Microsoft.Sql/servers": return Place(key: "properties.keyId")
        case "storage.googleapis.com/Bucket": return Place(key: "encryption.defaultKmsKeyName")
        case "sqladmin.googleapis.com/Instance": return Place(key: "diskEncryptionConfiguration.kmsKeyName")
        default: return nil
        }
    }

    static func reads(_ type: String) -> [PropertyPath] {
        guard let place = place(type) else { return [] }
        return [place.enabled, place.owner?.path, place.key].compactMap { $0.flatMap { PropertyPath($0) } }
    }

    static func value(of document: StateValue, type: String) -> FacetValue {
        guard let place = place(type) else { return .unknown("encryption is not read from \(type)") }
        func at(_ text: String) -> StateValue { PropertyPath(text).map { document[$0] } ?? .absent }
        let enabled = place.enabled.map { at($0).bool($0, default: false) } ?? .known(true)
        let id = at(place.key).text(place.key)
        var key: Reading<String> = id.map { .known($0.map { isProviders($0) ? "provider" : "customer" } ?? "provider") }
        if let owner = place.owner {
            key = at(owner.path).text(owner.path).map { text in
                guard let text, owner.customer.contains(text.lowercased()) else { return .known("provider") }
                return key
            }
        }
        if place.idOfEither, let text = id.value ?? nil, !isProviders(text) {
            key = .unknown("whose key \(text) is was not read")
        }
        if enabled.value == false { key = .known("none") }
        if let reason = enabled.reason { key = .unknown(reason) }
        return FacetMap.value(
            [
                ("enabled", enabled.map { .known(.bool($0)) }), ("key", key.map { .known(.string($0)) }),
                ("keyId", id.map { .known($0.map(JSON.string) ?? .null) }),
            ], document, reads(type))
    }

    /// AWS's own keys go by these aliases.
    private static func isProviders(_ id: String) -> Bool { id.contains("alias/aws/") }
}

/// Facets that are one map.
enum FacetMap {
    /// - Parameter paths: what the map was made from; those that are there are its sources.
    static func value(
        _ members: [(String, Reading<JSON>)], _ document: StateValue, _ paths: [PropertyPath]
    ) -> FacetValue {
        let map = StateMap(
            members.compactMap { name, value -> (String, StateValue)? in
                switch value {
                case .unknown(let reason): (name, .unknown(reason))
                case .known(.null): nil
                case .known(let json): (name, .scalar(json))
                }
            })
        let there = paths.filter { document[$0] != .absent }
        return .map(
            .map(map),
            sources: (there.isEmpty ? Array(paths.prefix(1)) : there).map {
                FacetSource(path: $0, key: nil, actual: document[$0].json)
            })
    }
}
