"""The addresses of partners: the customer's below its own; those of the partner's people and the invited person apart."""

from django.urls import URLPattern, URLResolver, include, path

from partners.views import (
    add_partner,
    change_control,
    colleagues,
    customer_remove,
    customer_tokens,
    customers,
    expiries,
    invitations,
    invited_admins,
    notifications,
    partner_access,
    partners,
    settings,
    tenant_managers,
    terms,
    time_limit,
    webhooks,
)

_of_relationship: list[URLPattern | URLResolver] = [
    path("", partners.partner, name="partner"),
    path("suspend/", partners.suspend, name="partner_suspend"),
    path("resume/", partners.resume, name="partner_resume"),
    path("rename/", partners.rename, name="partner_rename"),
    path("time-limit/", time_limit.limit, name="partner_limit"),
    path("change-control/", change_control.control, name="partner_control"),
    path("remove/", partners.remove, name="partner_remove"),
    path("invited-admins/", invited_admins.invited_admins, name="invited_admins"),
    path("invitations/<uuid:invitation_id>/resend/", partners.resend, name="invitation_resend"),
    path("invitations/<uuid:invitation_id>/revoke/", partners.revoke, name="invitation_revoke"),
]

_of_webhook: list[URLPattern | URLResolver] = [
    path("", webhooks.webhook, name="webhook"),
    path("edit/", webhooks.edit, name="webhook_edit"),
    path("secret/", webhooks.rotate, name="webhook_rotate"),
    path("switch/", webhooks.switch, name="webhook_switch"),
    path("test/", webhooks.send_test, name="webhook_test"),
    path("delete/", webhooks.delete, name="webhook_delete"),
    path("deliveries/<uuid:event_id>/redeliver/", webhooks.redeliver, name="delivery_redeliver"),
]

_of_tenant: list[URLPattern | URLResolver] = [
    path("", settings.general, name="settings_general"),
    path("general/", settings.edit, name="settings_general_edit"),
    path("domains/", settings.add_domain, name="settings_domain_add"),
    path("domains/<int:domain_id>/remove/", settings.remove_domain, name="settings_domain_remove"),
    path("terms/", terms.terms, name="settings_terms"),
    path("tenant-managers/", tenant_managers.managers, name="tenant_managers"),
    path("tenant-managers/<int:manager_id>/remove/", tenant_managers.remove, name="tenant_manager_remove"),
    path("notifications/", notifications.chosen, name="settings_notifications"),
    path("notifications/test/", notifications.send_test, name="settings_notifications_test"),
    path("notifications/mail/", notifications.look, name="settings_mail"),
    path("notifications/mail/<slug:language>/", notifications.preview, name="settings_mail_preview"),
    path("partner-access/", partner_access.policy, name="partner_access"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/add/", webhooks.add, name="webhook_add"),
    path("webhooks/<uuid:webhook_id>/", include(_of_webhook)),
    path("partners/", partners.partners, name="partners"),
    path("partners/add/", add_partner.add_partner, name="add_partner"),
    path("partners/add/<slug:step>/", add_partner.add_partner_step, name="add_partner_step"),
    path("partners/<uuid:relationship_id>/", include(_of_relationship)),
]

_of_customer: list[URLPattern | URLResolver] = [
    path("", customers.customer, name="customer"),
    path("remove/", customer_remove.remove, name="customer_remove"),
    path("colleagues/", colleagues.colleagues, name="customer_colleagues"),
    path("tokens/", customer_tokens.tokens, name="customer_tokens"),
    path("tokens/<slug:prefix>/revoke/", customer_tokens.revoke, name="customer_token_revoke"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("c/<uuid:tenant_id>/settings/", include(_of_tenant)),
    path("customers/", customers.customers, name="customers"),
    path("customers/<uuid:tenant_id>/", include(_of_customer)),
    path("all/expiring/", expiries.expiring, name="all_expiring"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<uuid:invitation_id>/", invitations.invitation, name="invitation"),
    path("invitations/<uuid:invitation_id>/accept/", invitations.accept, name="invitation_accept"),
    path("invitations/<uuid:invitation_id>/deny/", invitations.deny, name="invitation_deny"),
    path("invitations/<uuid:invitation_id>/undo/", invitations.undo, name="invitation_undo"),
    path("invitations/<uuid:invitation_id>/<str:secret>/", invitations.invitation, name="invitation_link"),
]
