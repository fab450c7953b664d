/// A published set of controls, with the rules that cover each.
package struct Framework: Sendable, Hashable {
    package struct Control: Sendable, Hashable {
        /// The framework's own number: `2.1.4`.
        package var id: String
        /// Our words.
        package var title: String
        package var rules: [String]
        /// Why configuration cannot show it, where no rule covers it.
        package var because: String?
        package var place: SourcePlace
    }
    /// The file's name below `frameworks/`: `cis-aws`.
    package var id: String
    package var title: String
    package var version: String
    package var controls: [Control]
    package var place: SourcePlace

    /// The grammar of a framework's file.
    package static let shape = Shape.record(
        .init("title", .text, required: true, "The framework's name."),
        .init("version", .text, required: true, "Which edition the numbers are of."),
        .init(
            "controls",
            .list(
                .record(
                    .init("id", .text, required: true, "The control's number."),
                    .init("title", .text, required: true, "What it asks for, in our words."),
                    .init("rules", .list(.text), "Ids of the rules that cover it."),
                    .init("because", .text, "Why no rule can."))), required: true, "All controls that are mapped."))

    /// Of a checked node.
    init(id: String, _ node: Node) {
        self.id = id
        title = node["title"]?.text ?? ""
        version = node["version"]?.text ?? ""
        place = node.place
        controls = (node["controls"]?.list ?? []).map { control in
            Control(
                id: control["id"]?.text ?? "", title: control["title"]?.text ?? "",
                rules: control["rules"]?.texts ?? [], because: control["because"]?.text, place: control.place)
        }
    }
}
