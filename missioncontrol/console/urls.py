from __future__ import annotations

from django.urls import path

from missioncontrol.console.views import (
    account,
    alarms,
    audit,
    bad_frames,
    clock,
    commands,
    confirming,
    health,
    jobs,
    live,
    now,
    organisation_accounts,
    organisations,
    passes,
    plans,
    single_sign_on,
    stations,
    telemetry,
    timeline,
    tokens,
)

app_name = "console"

urlpatterns = [
    path("", now.now, name="now"),
    path("passes/", passes.passes, name="passes"),
    path("passes/<int:contact_id>/", passes.pass_detail, name="pass_detail"),
    path("passes/<int:contact_id>/cancel/", passes.cancel_contact, name="cancel_contact"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("timeline/items", timeline.timeline_items, name="timeline_items"),
    path("plans/", plans.plans, name="plans"),
    path("plans/propose/", plans.propose_plan, name="propose_plan"),
    path("plans/<int:plan_id>/", plans.plan_detail, name="plan_detail"),
    path("plans/<int:plan_id>/approve/", plans.approve_plan, name="approve_plan"),
    path("plans/<int:plan_id>/refuse/", plans.refuse_plan, name="refuse_plan"),
    path("plans/<int:plan_id>/publish/", plans.publish_plan, name="publish_plan"),
    path("outages/declare/", plans.declare_outage, name="declare_outage"),
    path("outages/<int:outage_id>/lift/", plans.lift_outage, name="lift_outage"),
    path("telemetry/", telemetry.telemetry, name="telemetry"),
    path("telemetry/bad-frames/", bad_frames.bad_frames, name="bad_frames"),
    path(
        "telemetry/bad-frames/<int:frame_id>/octets",
        bad_frames.bad_frame_octets,
        name="bad_frame_octets",
    ),
    path("telemetry/<str:spacecraft>/", telemetry.telemetry, name="telemetry"),
    path("telemetry/<str:spacecraft>/samples", telemetry.samples, name="samples"),
    path("commands/", commands.commands, name="commands"),
    path("commands/submit/", commands.submit_telecommand, name="submit_telecommand"),
    path(
        "commands/<int:telecommand_id>/approve/",
        commands.approve_telecommand,
        name="approve_telecommand",
    ),
    path(
        "commands/<int:telecommand_id>/reject/",
        commands.reject_telecommand,
        name="reject_telecommand",
    ),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/submit/", jobs.submit_job, name="submit_job"),
    path("jobs/<int:number>/", jobs.job_detail, name="job_detail"),
    path("jobs/<int:number>/result", jobs.job_result, name="job_result"),
    path("jobs/<int:number>/cancel/", jobs.cancel_job, name="cancel_job"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:alarm_id>/acknowledge/", alarms.acknowledge_alarm, name="acknowledge_alarm"),
    path("stations/", stations.stations, name="stations"),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:log_index>/entry", audit.entry, name="audit_entry"),
    path("audit/<int:log_index>/proof", audit.receipt, name="audit_proof"),
    path("clock/", clock.set_clock, name="set_clock"),
    path("account/", account.account, name="account"),
    path("account/sessions/<int:session_id>/end/", account.end_session, name="end_session"),
    path("account/sessions/end-others/", account.end_other_sessions, name="end_other_sessions"),
    path("account/tokens/new/", tokens.new_token, name="new_token"),
    path(
        "account/tokens/<int:token_id>/revoke/", tokens.revoke_own_token, name="revoke_own_token"
    ),
    path(
        "account/confirm/single-sign-on/",
        confirming.confirm_by_single_sign_on,
        name="confirm_by_single_sign_on",
    ),
    path("consortium/", organisations.consortium, name="consortium"),
    path("consortium/<slug:slug>/", organisations.organisation, name="organisation"),
    path(
        "consortium/<slug:slug>/accounts/new/",
        organisation_accounts.new_account,
        name="new_account",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/",
        organisation_accounts.organisation_account,
        name="organisation_account",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/invite/",
        organisation_accounts.invite,
        name="invite",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/close/",
        organisation_accounts.close_account,
        name="close_account",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/open/",
        organisation_accounts.open_account,
        name="open_account",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/second-factor/remove/",
        organisation_accounts.remove_authenticators,
        name="remove_authenticators",
    ),
    path(
        "consortium/<slug:slug>/accounts/<int:account_id>/tokens/new/",
        tokens.new_token_for,
        name="new_token_for",
    ),
    path(
        "consortium/<slug:slug>/roles/grant/", organisation_accounts.grant_role, name="grant_role"
    ),
    path(
        "consortium/<slug:slug>/roles/revoke/",
        organisation_accounts.revoke_role,
        name="revoke_role",
    ),
    path(
        "consortium/<slug:slug>/tokens/<int:token_id>/revoke/",
        tokens.revoke_token,
        name="revoke_token",
    ),
    path(
        "consortium/<slug:slug>/single-sign-on/",
        single_sign_on.single_sign_on,
        name="single_sign_on",
    ),
    path(
        "consortium/<slug:slug>/single-sign-on/try/",
        single_sign_on.try_single_sign_on,
        name="try_single_sign_on",
    ),
    path(
        "consortium/<slug:slug>/single-sign-on/remove/",
        single_sign_on.remove_single_sign_on,
        name="remove_single_sign_on",
    ),
    path("live-ticket/", live.live_ticket, name="live_ticket"),
    path("health", health.health, name="health"),
]
