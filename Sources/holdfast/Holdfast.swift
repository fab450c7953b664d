import ArgumentParser

@main
struct Holdfast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "Keeps clouds from drifting: events in, affected resources re-evaluated, findings and plans out.",
        discussion: """
            Exit codes: 0 done · 1 failed, or a check found problems (standard error says which) · 64 the command line \
            was not understood.
            """,
        version: Version.text,
        subcommands: [
            InitCommand.self, CheckCommand.self, DoctorCommand.self, RunCommand.self, ReloadCommand.self,
            TestCommand.self, ExplainCommand.self,
            EvaluateCommand.self, FindingsCommand.self, ResourceCommand.self,
            ResourcesCommand.self, PlanCommand.self, ExemptCommand.self,
            PinCommand.self, RulesCommand.self, CatalogCommand.self, SimulateCommand.self, AuditCommand.self,
            DemoCommand.self,
            VerifyCommand.self, SchemaCommand.self, NoticesCommand.self, ScanCommand.self,
            PermissionsCommand.self, AccountsCommand.self, StatusCommand.self, DeadLettersCommand.self,
            CountersCommand.self, LoginCommand.self, TokenCommand.self, ApprovalsCommand.self, ApproveCommand.self,
            RefuseCommand.self, HoldCommand.self,
            ObjectCommand.self, HaltCommand.self, ResumeCommand.self, UndoCommand.self,
            RunsCommand.self, RolloutCommand.self, CampaignCommand.self, CampaignsCommand.self, DrillCommand.self,
            WhyCommand.self,
            ReportCommand.self, ReplayCommand.self, DiffCommand.self,
        ])
}

enum Version {
    static let text = "0.1.0"
}
