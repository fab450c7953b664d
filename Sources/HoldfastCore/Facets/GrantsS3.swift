internal import HoldfastJSON

/// What blocks public access to a bucket: its own settings or the account's. Those of the account count where they
/// are known to be on; where nobody read them the bucket stands for itself.
struct PublicAccessBlock {
    private let bucket: StateValue
    private let account: StateValue

    init(_ document: StateValue, _ context: FacetContext) {
        bucket = document[member: "PublicAccessBlockConfiguration"]
        account = context.accountPublicAccessBlock
    }

    private func isOn(_ name: String) -> Reading<Bool> {
        if account[member: name].bool(name, default: false).value == true { return .known(true) }
        return bucket[member: name].bool(name, default: false)
    }

    /// `RestrictPublicBuckets` takes a public policy's effect on anyone outside the account.
    func policyGrant(_ grant: Grants.Grant) -> Grants.Grant? {
        guard grant.isPublic else { return grant }
        return guarded("RestrictPublicBuckets").map { reason in
            var grant = grant
            if let reason { grant.principal = .unknown(reason) }
            return grant
        }
    }

    /// `nil`: blocked; else why it may be, `nil` where it is not.
    func guarded(_ name: String) -> String?? {
        switch isOn(name) {
        case .known(true): nil
        case .known(false): .some(nil)
        case .unknown(let reason): .some(reason)
        }
    }
}

extension Grants {
    private static let groups = [
        "http://acs.amazonaws.com/groups/global/AllUsers": "*",
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "authenticated",
        "http://acs.amazonaws.com/groups/s3/LogDelivery": "logging.s3.amazonaws.com",
    ]

    /// A bucket's access list. It grants nothing where the bucket's owner owns all objects, and nothing to the public
    /// where public lists are ignored. What it grants to the owner is no grant.
    static func accessList(
        _ acl: StateValue, _ path: PropertyPath, _ document: StateValue, _ block: PublicAccessBlock?
    ) -> (items: [FacetItem], open: String?) {
        var doubt: String?
        let ownership = document[member: "OwnershipControls"][member: "Rules"].elements(at: PropertyPath())
        for (_, rule) in ownership.elements {
            switch rule[member: "ObjectOwnership"].text("ObjectOwnership") {
            case .known("BucketOwnerEnforced"): return ([], nil)
            case .known: continue
            case .unknown(let reason): doubt = reason
            }
        }
        doubt = doubt ?? ownership.open
        let owner = acl[member: "Owner"][member: "ID"].text("Owner.ID").value ?? nil
        let list = acl[member: "Grants"].elements(at: path.appending(.name("Grants")))
        let items = list.elements.compactMap { source, value in
            accessItem(value, source, owner: owner, block, doubt)
        }
        return (items, list.open)
    }

    private static func accessItem(
        _ value: StateValue, _ source: FacetSource, owner: String?, _ block: PublicAccessBlock?, _ doubt: String?
    ) -> FacetItem? {
        let grantee = value[member: "Grantee"]
        var principal: StateValue = .unknown("\(source.path).Grantee names nobody")
        for name in ["URI", "ID", "EmailAddress"] {
            switch grantee[member: name].text("\(source.path).Grantee.\(name)") {
            case .unknown(let reason): principal = .unknown(reason)
            case .known(nil): continue
            case .known(let text?):
                if name == "ID", text == owner { return nil }
                principal = .scalar(.string(groups[text] ?? text))
            }
            break
        }
        var source = source
        if case .scalar(let name) = principal {
            if name == "*" || name == "authenticated", let block {
                guard let reason = block.guarded("IgnorePublicAcls") else { return nil }
                if let reason { principal = .unknown(reason) }
            }
            if let doubt { principal = .unknown(doubt) }
            source.key = source.key ?? name.string
        }
        let permission: StateValue
        switch value[member: "Permission"].text("\(source.path).Permission") {
        case .unknown(let reason): permission = .unknown(reason)
        case .known(let text): permission = list(text.map { ["acl:\($0)"] } ?? [])
        }
        return item(principal, permission, .absent, list([]), source)
    }
}
