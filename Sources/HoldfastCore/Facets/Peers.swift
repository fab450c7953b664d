internal import HoldfastJSON

/// One end of a connection: addresses, and names whose addresses only the cloud knows (`sg-1a2b`, `VirtualNetwork`).
package struct Peers: Sendable, Hashable {
    package var addresses: IPSet
    /// Sorted, each once.
    package private(set) var names: [String]

    package init(_ addresses: IPSet = IPSet(), names: [String] = []) {
        self.addresses = addresses
        self.names = Set(names).sorted { $0.precedesInUTF8($1) }
    }

    package static let everything = Peers(.everything)

    package var isEmpty: Bool { addresses.isEmpty && names.isEmpty }

    package func union(_ other: Peers) -> Peers {
        Peers(addresses.union(other.addresses), names: names + other.names)
    }
    package func intersection(_ other: Peers) -> Peers {
        Peers(addresses.intersection(other.addresses), names: names.filter(other.covers))
    }
    package func subtracting(_ other: Peers) -> Peers {
        Peers(addresses.subtracting(other.addresses), names: names.filter { !other.covers($0) })
    }

    /// All that the name stands for is among these peers: the name itself, every IPv4 address, and for a cloud's
    /// service every public one. What addresses a name has beyond that is not known here.
    private func covers(_ name: String) -> Bool {
        names.contains(name) || addresses.v4.isEverything
            || Peers.isService(name) && IPSet.publicInternet.v4.isSubset(of: addresses.v4)
    }

    /// A service tag of Azure that stands for public addresses of Microsoft's services, and so not for the network
    /// itself or for one of its groups.
    static func isService(_ name: String) -> Bool {
        !["virtualnetwork", "azureloadbalancer"].contains(name.lowercased())
            && !name.hasPrefix("sg-") && !name.contains(":") && !name.contains("/")
    }

    /// Addresses and names as texts: what the facet's `from` and `to` hold.
    package var texts: [String] { addresses.cidrs + names }

    /// What the texts of a facet's `from` or `to` stand for; `internet` is every public address.
    package init(texts: [String]) {
        var addresses = IPSet()
        var names: [String] = []
        for text in texts {
            if let set = try? IPSet(text) { addresses.formUnion(set) } else { names.append(text) }
        }
        self.init(addresses, names: names)
    }
}
