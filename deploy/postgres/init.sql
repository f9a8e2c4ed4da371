-- One role and one database per service; a role may connect to its own database alone.
-- The postgres image runs this once, when its volume is empty; the passwords come from the environment.

\getenv crm_password CRM_DB_PASSWORD
\getenv invoice_password INVOICE_DB_PASSWORD
\getenv sync_password SYNC_DB_PASSWORD
\getenv workflow_password WORKFLOW_DB_PASSWORD

CREATE ROLE crm LOGIN PASSWORD :'crm_password';
CREATE ROLE invoice LOGIN PASSWORD :'invoice_password';
CREATE ROLE sync LOGIN PASSWORD :'sync_password';
CREATE ROLE workflow LOGIN PASSWORD :'workflow_password';

CREATE DATABASE crm OWNER crm;
CREATE DATABASE invoice OWNER invoice;
CREATE DATABASE sync OWNER sync;
CREATE DATABASE workflow OWNER workflow;

-- By default everyone may connect to every database. The owner of each keeps the right.
REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1, crm, invoice, sync, workflow FROM PUBLIC;
