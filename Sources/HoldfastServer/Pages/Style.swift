internal import HoldfastCrypto

/// How the pages look. One file from this server; nothing else is fetched.
enum Style {
    /// Changes with the text, so that browsers may keep it.
    static let path = "style-\(sha256(text.utf8).description.prefix(12)).css"

    static let text = """
        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #ffffff; --ink: #17191c; --soft: #575e68; --line: #dcdfe4;
          --link: #0b57c2; --good: #146c2e; --bad: #b3261e; --warn: #8a5a00;
          --good-back: #e3f4e6; --bad-back: #fbe4e2; --warn-back: #fdf0d5; --code: #eef0f3;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #121417; --card: #1b1e22; --ink: #e9ebee; --soft: #a2a9b3; --line: #33383f;
            --link: #8ab8ff; --good: #7fd494; --bad: #ff9d94; --warn: #f2c063;
            --good-back: #173322; --bad-back: #3d1c1a; --warn-back: #3a2d10; --code: #24282d;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--ink);
          font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
        }
        a { color: var(--link); }
        a:focus-visible, button:focus-visible, textarea:focus-visible, input:focus-visible, summary:focus-visible {
          outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px;
        }
        .skip { position: absolute; left: -100rem; }
        .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem; }
        header { background: var(--card); border-bottom: 1px solid var(--line); }
        header > div, main, footer { max-width: 56rem; margin: 0 auto; padding: 0 1rem; }
        header > div { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.25rem; padding: .25rem 1rem; }
        header strong { font-size: 1.05rem; }
        nav { display: flex; flex-wrap: wrap; gap: 0 .25rem; flex: 1; }
        nav a { padding: .65rem .5rem; text-decoration: none; border-bottom: 3px solid transparent; }
        nav a[aria-current] { border-color: var(--link); font-weight: 600; }
        header form { display: flex; align-items: center; gap: .5rem; margin: 0; color: var(--soft); font-size: .9rem; }
        main { padding: 1rem 1rem 3rem; }
        footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; }
        h1 { font-size: 1.3rem; line-height: 1.3; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
        h2 { font-size: 1rem; margin: 0 0 .5rem; }
        .card {
          background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin: 0 0 1rem;
          overflow-wrap: anywhere;
        }
        .card > :last-child { margin-bottom: 0; }
        .card p, .card ul, .card ol { margin: 0 0 .5rem; }
        .card ul, .card ol { padding-left: 1.25rem; }
        .card li { margin-bottom: .35rem; }
        .sentence { font-size: 1.15rem; line-height: 1.45; }
        .soft { color: var(--soft); }
        .small { font-size: .9rem; }
        .card ul.pills {
          display: flex; flex-wrap: wrap; gap: .4rem; margin: 0 0 .75rem; padding: 0; list-style: none;
        }
        .card ul.pills li { margin: 0; }
        .pill {
          border: 1px solid var(--line); border-radius: 99px; padding: .05rem .6rem; font-size: .85rem;
          background: var(--code); white-space: nowrap;
        }
        .pill.bad, .banner.bad { background: var(--bad-back); color: var(--bad); border-color: var(--bad); }
        .pill.warn, .banner.warn { background: var(--warn-back); color: var(--warn); border-color: var(--warn); }
        .pill.good, .banner.good { background: var(--good-back); color: var(--good); border-color: var(--good); }
        .banner {
          border: 1px solid; border-radius: 10px; padding: .75rem 1rem; margin: 0 0 1rem; overflow-wrap: anywhere;
        }
        .banner p { margin: 0; }
        code, pre { font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
        pre {
          background: var(--code); border-radius: 6px; padding: .6rem .75rem; margin: .35rem 0 .5rem;
          white-space: pre-wrap; overflow-wrap: anywhere;
        }
        .diff { margin: 0 0 .75rem; }
        .diff dt { margin-top: .75rem; overflow-wrap: anywhere; }
        .diff dt:first-child { margin-top: 0; }
        .diff dd { margin: .2rem 0 0; border-radius: 6px; padding: .35rem .6rem; white-space: pre-wrap;
          overflow-wrap: anywhere; font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
        .diff .minus { background: var(--bad-back); color: var(--bad); }
        .diff .plus { background: var(--good-back); color: var(--good); }
        .card ul.guards { list-style: none; padding: 0; }
        .guards li { display: grid; grid-template-columns: 1.6rem 1fr; }
        .mark { font-weight: 700; }
        .mark.good { color: var(--good); } .mark.bad { color: var(--bad); } .mark.warn { color: var(--warn); }
        label { display: block; font-weight: 600; margin: 0 0 .25rem; }
        .check { display: grid; grid-template-columns: 1.75rem 1fr; font-weight: 400; margin: 0 0 .5rem; }
        select {
          font: inherit; color: inherit; background: var(--page); min-height: 2.9rem; padding: .45rem .65rem;
          border: 1px solid var(--line); border-radius: 8px; min-width: 12rem;
        }
        input[type=checkbox] { width: 1.25rem; height: 1.25rem; margin: .15rem 0 0; }
        textarea {
          width: 100%; min-height: 4.5rem; font: inherit; color: inherit; background: var(--page);
          border: 1px solid var(--line); border-radius: 8px; padding: .5rem .65rem; margin: 0 0 .75rem;
        }
        .buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0; }
        button, .button {
          font: inherit; font-weight: 600; min-height: 2.9rem; padding: .45rem 1.1rem; border-radius: 8px;
          border: 1px solid var(--line); background: var(--card); color: var(--ink); cursor: pointer;
          display: inline-flex; align-items: center; text-decoration: none;
        }
        button.plain { min-height: 0; padding: .3rem .6rem; font-weight: 500; font-size: .9rem; }
        button.good { background: #146c2e; border-color: #146c2e; color: #fff; }
        button.bad { background: #b3261e; border-color: #b3261e; color: #fff; }
        details { margin: 0 0 .5rem; }
        summary { cursor: pointer; padding: .35rem 0; font-weight: 600; }
        .list { list-style: none; padding: 0; margin: 0; }
        .row { display: block; color: inherit; text-decoration: none; }
        .row:hover .sentence { text-decoration: underline; }
        @media (max-width: 34rem) {
          .buttons button { flex: 1 1 100%; justify-content: center; }
          header strong { flex: 1; }
          nav { order: 1; flex-basis: 100%; justify-content: space-between; }
        }

        """
}
