export { showsGraphiql } from './explorer/graphiql-files.js';
export { GraphqlModule } from './graphql.module.js';
