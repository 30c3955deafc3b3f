-- 0008: the words that what follows needs, and the record of the functions, which live in
-- sql/functions from here on and are replaced as a whole.
-- A new word can be used only after its commit, so this migration is committed before the others.
set local role writ_owner;

alter type writ_data.waiting_reason add value 'user_action';
alter type writ_data.waiting_reason add value 'rate';
alter type writ_data.waiting_reason add value 'batch';
alter type writ_data.audit_event_kind add value 'user_action_requested';
alter type writ_data.audit_event_kind add value 'expired';
alter type writ_data.audit_event_kind add value 'schedule_fired';
alter type writ_data.audit_event_kind add value 'batch_created';
alter type writ_data.audit_event_kind add value 'batch_finished';
alter type writ_data.audit_event_kind add value 'limit_changed';
alter type writ_data.audit_event_kind add value 'schedule_refused';
alter type writ_data.audit_event_kind add value 'schedule_skipped';
alter type writ_data.audit_event_kind add value 'schedule_added';
alter type writ_data.audit_event_kind add value 'schedule_changed';
alter type writ_data.audit_event_kind add value 'schedule_removed';
alter type writ_data.audit_event_kind add value 'schedule_paused';
alter type writ_data.audit_event_kind add value 'schedule_resumed';

create table writ_data.function_text (
  singleton boolean primary key default true check (singleton),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default clock_timestamp(),
  applied_by text not null default session_user
);
comment on table writ_data.function_text is 'With which text the functions were last replaced.';
