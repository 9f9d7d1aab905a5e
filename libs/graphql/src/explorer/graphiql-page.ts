import { pagePolicy } from '#libs/platform/http';

/** GraphiQL's editor needs `style` attributes, and its fonts are `data:` addresses. */
export const graphiqlPolicy = pagePolicy(
  "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'",
);

export const pageOfGraphiql = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse GraphQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="graphql/graphiql.css">
<style>html, body, #graphiql { height: 100%; margin: 0 }</style>
</head>
<body>
<div id="graphiql"></div>
<script src="graphql/react.js"></script>
<script src="graphql/react-dom.js"></script>
<script src="graphql/graphiql.js"></script>
<script src="graphql/start.js"></script>
</body>
</html>
`;

/** Keeps nothing in the browser: GraphiQL's history would hold tokens and passwords. */
export const startScript = `const fetcher = GraphiQL.createFetcher({ url: 'graphql' });
const kept = new Map();
const storage = {
  get length() { return kept.size; },
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  clear: () => kept.clear(),
};
const defaultQuery = \`# Log in, then write the token into the tab "Headers" below:
#   { "authorization": "Bearer <accessToken>" }
# and ask for yourself.

query Me {
  me {
    id
    userName
    roles
  }
}
\`;
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery, storage }),
);
`;
