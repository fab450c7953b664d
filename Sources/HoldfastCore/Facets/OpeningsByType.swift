extension Openings {
    /// What the facet reads, by type.
    static let reads: [String: [PropertyPath]] = [
        "AWS::EC2::SecurityGroup": [
            PropertyPath(names: "SecurityGroupIngress"), PropertyPath(names: "SecurityGroupEgress"),
        ],
        "AWS::EC2::NetworkAcl": [PropertyPath(names: "Entries")],
        "Microsoft.Network/networkSecurityGroups": [
            PropertyPath(names: "properties", "securityRules"),
            PropertyPath(names: "properties", "defaultSecurityRules"),
        ],
        "compute.googleapis.com/Firewall": [
            "allowed", "denied", "destinationRanges", "direction", "disabled", "sourceRanges",
            "sourceServiceAccounts", "sourceTags",
        ].map { PropertyPath(names: $0) },
    ]

    static func value(of document: StateValue, type: String, _ context: FacetContext) -> FacetValue {
        switch type {
        case "AWS::EC2::SecurityGroup": securityGroup(document, context)
        case "AWS::EC2::NetworkAcl": networkACL(document)
        case "Microsoft.Network/networkSecurityGroups": networkSecurityGroup(document)
        case "compute.googleapis.com/Firewall": firewall(document)
        default: .unknown("openings are not read from \(type)")
        }
    }
}
