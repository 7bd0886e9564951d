"""The addresses of partners, invitations and tokens, below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

from partners.api.audit_log import AuditLog
from partners.api.colleagues import Colleagues, Managers, OneManager
from partners.api.customers import Customers, OneCustomer
from partners.api.expiries import Expiring
from partners.api.invitations import Invitations, OneInvitation, Resend, Revoke
from partners.api.me import CurrentTerms, Me
from partners.api.my_invitations import Accept, Deny, MyInvitations, OneOfMine, Undo
from partners.api.partner_access import PartnerAccess, PartnerAccessPreview
from partners.api.partners import OnePartner, Partners, Resume, Suspend
from partners.api.settings import (
    AcceptTerms,
    CustomerTerms,
    Domains,
    General,
    Look,
    Notifications,
    OneDomain,
    TestMail,
)
from partners.api.tokens import OneToken, Tokens
from partners.api.webhooks import Deliveries, OneDelivery, OneWebhook, Redeliver, Rotate, SendTest, Webhooks

_of_partner: list[URLPattern] = [
    path("", OnePartner.as_view(), name="api-partner"),
    path("suspend/", Suspend.as_view(), name="api-partner-suspend"),
    path("resume/", Resume.as_view(), name="api-partner-resume"),
    path("invitations/", Invitations.as_view(), name="api-partner-invitations"),
    path("invitations/<uuid:invitation_id>/", OneInvitation.as_view(), name="api-partner-invitation"),
    path("invitations/<uuid:invitation_id>/resend/", Resend.as_view(), name="api-partner-invitation-resend"),
    path("invitations/<uuid:invitation_id>/revoke/", Revoke.as_view(), name="api-partner-invitation-revoke"),
]

_of_settings: list[URLPattern] = [
    path("", General.as_view(), name="api-settings"),
    path("domains/", Domains.as_view(), name="api-domains"),
    path("domains/<int:domain_id>/", OneDomain.as_view(), name="api-domain"),
    path("partner-access/", PartnerAccess.as_view(), name="api-access-policy"),
    path("partner-access/preview/", PartnerAccessPreview.as_view(), name="api-access-policy-preview"),
    path("notifications/", Notifications.as_view(), name="api-notifications"),
    path("notifications/test/", TestMail.as_view(), name="api-notifications-test"),
    path("mail/", Look.as_view(), name="api-mail-look"),
]

_of_webhook: list[URLPattern] = [
    path("", OneWebhook.as_view(), name="api-webhook"),
    path("rotate/", Rotate.as_view(), name="api-webhook-rotate"),
    path("test/", SendTest.as_view(), name="api-webhook-test"),
    path("deliveries/", Deliveries.as_view(), name="api-deliveries"),
    path("deliveries/<uuid:event_id>/", OneDelivery.as_view(), name="api-delivery"),
    path("deliveries/<uuid:event_id>/redeliver/", Redeliver.as_view(), name="api-delivery-redeliver"),
]

_of_customer: list[URLPattern | URLResolver] = [
    path("partners/", Partners.as_view(), name="api-partners"),
    path("partners/<uuid:relationship_id>/", include(_of_partner)),
    path("settings/", include(_of_settings)),
    path("terms/", CustomerTerms.as_view(), name="api-customer-terms"),
    path("terms/accept/", AcceptTerms.as_view(), name="api-customer-terms-accept"),
    path("audit-log/", AuditLog.as_view(), name="api-audit-log"),
    path("colleagues/", Colleagues.as_view(), name="api-colleagues"),
    path("tenant-managers/", Managers.as_view(), name="api-tenant-managers"),
    path("tenant-managers/<int:manager_id>/", OneManager.as_view(), name="api-tenant-manager"),
    path("tokens/", Tokens.as_view(), name="api-tokens"),
    path("tokens/<slug:prefix>/", OneToken.as_view(), name="api-token"),
    path("webhooks/", Webhooks.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:webhook_id>/", include(_of_webhook)),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("me/", Me.as_view(), name="api-me"),
    path("terms/", CurrentTerms.as_view(), name="api-terms"),
    path("invitations/", MyInvitations.as_view(), name="api-my-invitations"),
    path("invitations/<uuid:invitation_id>/", OneOfMine.as_view(), name="api-my-invitation"),
    path("invitations/<uuid:invitation_id>/accept/", Accept.as_view(), name="api-my-invitation-accept"),
    path("invitations/<uuid:invitation_id>/deny/", Deny.as_view(), name="api-my-invitation-deny"),
    path("invitations/<uuid:invitation_id>/undo/", Undo.as_view(), name="api-my-invitation-undo"),
    path("customers/", Customers.as_view(), name="api-customers"),
    path("customers/<uuid:tenant_id>/", OneCustomer.as_view(), name="api-customer"),
    path("customers/<uuid:tenant_id>/", include(_of_customer)),
    path("all/expiring/", Expiring.as_view(), name="api-all-expiring"),
]
