import { type Account, type Tokens, userPassword } from './accounts.ts';
import { drive, type Traffic } from './balancer.ts';
import { jsonRequest, meRequest } from './connection.ts';

/** People who go on with their work while everything changes around them. */
export async function work(
  port: number,
  traffic: Traffic,
  accounts: readonly Account[],
  tokens: readonly Tokens[],
): Promise<void> {
  const login = jsonRequest('POST', '/v1/auth/login', { userName: accounts[0]?.userName, password: userPassword });
  const working = tokens.slice(1).map(({ accessToken, refreshToken }, at) => {
    let [count, current] = [at, refreshToken];
    const write = jsonRequest('PATCH', '/v1/users/me', { firstName: `w${at}` }, accessToken);
    const next = (): string => {
      if (count++ % 7 === 0) return jsonRequest('POST', '/v1/auth/refresh', { refreshToken: current });
      return count % 3 === 0 ? write : meRequest(accessToken);
    };
    return drive(port, traffic, next, (body) => {
      const answer = JSON.parse(body) as Partial<Tokens>;
      if (answer.refreshToken) current = answer.refreshToken;
    });
  });
  await Promise.all([drive(port, traffic, () => login), ...working]);
}
