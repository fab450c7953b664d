import Foundation
import HoldfastFiles
import Testing

@Suite("Archives of evidence packs")
struct TarArchiveTests {
    @Test("The same files give the same bytes, and come out as they went in")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/in/sub", withIntermediateDirectories: true)
        let contents = ["a.txt": Data(), "sub/b.bin": Data((0..<1500).map { UInt8($0 % 251) }), "c": Data(count: 512)]
        for (name, data) in contents { try data.write(to: URL(filePath: "\(folder.path)/in/\(name)")) }
        for (name, names) in [("one.tar", ["a.txt", "sub/b.bin", "c"]), ("two.tar", ["c", "sub/b.bin", "a.txt"])] {
            try TarArchive.write(names, in: "\(folder.path)/in", as: "pack", to: "\(folder.path)/\(name)")
        }
        #expect(
            FileManager.default.contents(atPath: "\(folder.path)/one.tar")
                == FileManager.default.contents(atPath: "\(folder.path)/two.tar"))
        try TarArchive.extract("\(folder.path)/one.tar", into: "\(folder.path)/out")
        for (name, data) in contents {
            #expect(FileManager.default.contents(atPath: "\(folder.path)/out/pack/\(name)") == data, "\(name)")
        }
    }

    @Test("A name that leads out of the folder is refused")
    func escape() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/in", withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(filePath: "\(folder.path)/in/a"))
        try TarArchive.write(["a"], in: "\(folder.path)/in", as: "..", to: "\(folder.path)/bad.tar")
        #expect(throws: TarArchive.Fault.self) {
            try TarArchive.extract("\(folder.path)/bad.tar", into: "\(folder.path)/out")
        }
    }
}
