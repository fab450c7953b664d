import Foundation
import HoldfastCore
import HoldfastFiles
import TestOracles

/// The catalog as it is shipped, with its wire files.
enum WireCatalog {
    static let shipped: Catalog = {
        let folder = Oracle.top.appending(path: "catalog").path
        let files = DataFolder.read([folder]).files.map { ($0.name, $0.node) }
        return Catalog.load(files, operations: nil, wire: DataFolder.readWire([folder]).files).catalog
    }()

    static func calls(_ wires: [CloudCall.WireProtocol]) -> [String] {
        shipped.callNames.filter { shipped.call($0).map { wires.contains($0.wire) } ?? false }
    }

    static let aws = calls([.query, .ec2, .json10, .json11, .restJSON, .restXML])

    static func call(_ name: String) throws -> CloudCall {
        guard let call = shipped.call(name) else { throw Oracle.Failure(description: "there is no call \(name)") }
        return call
    }
}
