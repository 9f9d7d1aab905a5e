type Shown = { readonly hasGraphiql: boolean; readonly isEmbedded: boolean };

/** All addresses are relative: the service may stand below a path. Nothing on it is secret or differs by who asks. */
export const renderStartPage = ({ hasGraphiql, isEmbedded }: Shown): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Gatehouse</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="start.css">
</head>
<body>
<main>
<h1>Gatehouse</h1>
<p>Users and auth for your services. It is running.</p>
<h2>What is here</h2>
<ul>
<li><a href="docs">Explorer of the API</a>: every operation, to try out</li>
${hasGraphiql ? '<li><a href="graphql">GraphiQL</a>: the same over GraphQL</li>\n' : ''}<li><a href="openapi.json">OpenAPI document</a>: for generators of clients</li>
<li><a href="health/ready">Health</a>: whether it can serve requests</li>
<li><a href="m/new">Messages</a>: write one that deletes itself when it is read</li>
</ul>
<h2>What to do first</h2>
<ol>
<li>Find the first administrator's password. ${firstPassword}</li>
<li>Sign in: in the explorer, try <code>POST /v1/auth/login</code>, then put the <code>accessToken</code> into
“Authorize”.</li>
<li>Read yourself with <code>GET /v1/users/me</code>, and give your people accounts with
<code>POST /v1/users</code>.</li>
</ol>
<p>Is the password lost? ${isEmbedded ? 'Stop the service, then run' : 'Run'} <code>npm run cli -- admin reset</code>${
  isEmbedded ? ' and start it again' : ''
}.</p>
<p>All else is in the files <code>README.md</code> and <code>docs/operations.md</code> of Gatehouse.</p>
</main>
</body>
</html>
`;

const firstPassword = `It is in the file <code>first-admin-password</code> in the folder <code>DATA_DIR</code>
(<code>./data</code>) until somebody deletes that; a terminal shows it at the first start too. If you have set
<code>ADMIN_PASSWORD</code>, it is that one.`;

export const startPageStyle = `:root {
  color-scheme: light dark;
  --ground: light-dark(#f3f5f4, #121615);
  --card: light-dark(#ffffff, #1b211f);
  --ink: light-dark(#17211e, #e9efec);
  --line: light-dark(#d5dcd9, #36413d);
  --accent: light-dark(#0b6350, #4cc3a5);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  padding: clamp(0.75rem, 5vh, 4rem) 0.75rem;
  background: var(--ground);
  color: var(--ink);
  font: 1.0625rem/1.6 system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
main {
  max-width: 40rem;
  margin: 0 auto;
  padding: clamp(1.25rem, 5vw, 2.25rem);
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 0.9rem;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 1.5rem 0 0.5rem; font-size: 1.1rem; }
ul, ol { margin: 0; padding-left: 1.4rem; }
li { padding: 0.25rem 0; }
a { color: var(--accent); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code {
  padding: 0.05rem 0.3rem;
  border: 1px solid var(--line);
  border-radius: 0.3rem;
  font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
`;
