import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown; readonly text: string };
type Media = { readonly schema?: object };
type Operation = {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
};

export type Contract = {
  readonly document: Document;
  /** What in an answer the document does not allow; empty when all is well. */
  check(method: string, path: string, answer: Answer): readonly string[];
};

/** Pages for people, the document itself, and what has a schema of its own. */
const undescribed = /^\/(?:(?:docs|openapi\.json|graphql|m)(?:[/?]|$)|start\.css$|$)/;

/** Reads the document that the service itself answers, and holds answers against it. */
export async function loadContract(url: string): Promise<Contract> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: document.components });
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (key: string, schema: object): ValidateFunction => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    const known = validators.get(key) ?? ajv.compile(JSON.parse(text));
    validators.set(key, known);
    return known;
  };
  return {
    document,
    check(method, path, { status, headers, body, text }) {
      const found = findOperation(document, method, path);
      // the parser and the router answer for addresses and methods that no operation describes
      if (!found) return status >= 400 || undescribed.test(path) ? [] : ['no such operation'];
      const response = found.responses[status];
      if (!response) return [`status ${status} is not declared`];
      if (!response.content) return text === '' ? [] : ['a body where none is declared'];
      const type = (headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
      const schema = response.content[type]?.schema;
      if (!schema) return [`media type ${type} is not declared for ${status}`];
      const validate = validatorOf(`${found.operationId} ${status} ${type}`, schema);
      return validate(body) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
    },
  };
}

function findOperation(document: Document, method: string, path: string): Operation | undefined {
  const bare = path.split('?', 1)[0] ?? '';
  const templates = Object.keys(document.paths).toSorted((left, right) => params(left) - params(right));
  const meant = templates.filter((candidate) =>
    new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare),
  );
  // a path of its own may have an operation of its own for some methods only, as `/v1/users/me` has
  const operations = meant.map((template) => document.paths[template]?.[method.toLowerCase()]);
  return operations.find((operation) => operation !== undefined);
}

const params = (template: string): number => template.split('{').length;
