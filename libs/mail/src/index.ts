export { chooseLocale } from './choose-locale.js';
export type { Locale } from './mail.js';
export { MailModule } from './mail.module.js';
export { type ListedMail, MailService } from './mail.service.js';
export { UndeliverableAddressEntity } from './undeliverable-address.entity.js';
export { UndeliverableAddressesService } from './undeliverable-addresses.service.js';
