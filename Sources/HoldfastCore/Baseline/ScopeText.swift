extension Scope {
    /// How a scope is written on a command line, for messages.
    package static let forms = "environment:NAME, account:ID, type:TYPE and label:NAME=PATTERN, with commas between"

    /// `environment:dev,type:AWS::S3::Bucket`; `nil` where the text is something else. Of one kind any may fit, of
    /// several kinds all must.
    package init?(_ text: String) {
        self.init()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: ":", maxSplits: 1).map { String($0.drop { $0 == " " }) }
            guard pair.count == 2, !pair[1].isEmpty else { return nil }
            switch pair[0] {
            case "environment": environments.append(pair[1])
            case "account": accounts.append(pair[1])
            case "type": types.append(pair[1])
            case "label":
                let label = pair[1].split(separator: "=", maxSplits: 1).map(String.init)
                labels[label[0]] = label.count == 2 ? label[1] : "*"
            default: return nil
            }
        }
    }
}
