/** SQL: relations that belong to an extension, and which of them are its configuration tables (or sequences). */

/** Columns: oid, extname, configuration (is it one), condition (`WHERE …` or empty). */
export const extensionMembersSql = `
  SELECT d.objid AS oid, e.extname, u.oid IS NOT NULL AS configuration, u.condition
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    LEFT JOIN LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition))
              AS u(oid, condition) ON u.oid = d.objid
   WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
     AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'`;
